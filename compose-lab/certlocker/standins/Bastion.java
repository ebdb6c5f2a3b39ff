import java.util.Map;

/**
 * Stand-in for CertLocker's Bastion server (SSH access tokens).
 *
 * Reproduced behavior: it registers with the Router like the other services, and runs a scheduler as master. Edge's health
 * does not depend on it, so a node can serve while its Bastion is down.
 */
final class Bastion {
    private static final String TYPE = "BASTION";

    private Bastion() {}

    public static void main(String[] args) throws Exception {
        int port = (int) Settings.number("SERVER_PORT", 8084);
        Registration registration = new Registration(TYPE, port);
        registration.start();
        Thread.sleep(Settings.startupMs(TYPE));
        Http.serve(TYPE, port, Map.of());
        registration.startupOver();
        Scheduler.start(TYPE, registration, Scheduler.throughDataService());
        Thread.currentThread().join();
    }
}
