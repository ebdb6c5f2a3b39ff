import java.io.IOException;
import java.util.Map;

/**
 * Stand-in for CertLocker's Gateway (jeremy-gateway), between Edge and DataService.
 *
 * Reproduced behavior: it has no data. /gateway/rest/health returns DataService's answer, or 503 if DataService does not
 * answer. It registers with the Router, and runs a scheduler as master.
 */
final class Gateway {
    private static final String TYPE = "GATEWAY";
    private static final long DATASERVICE_TIMEOUT_MS = 500;

    private Gateway() {}

    public static void main(String[] args) throws Exception {
        int port = (int) Settings.number("SERVER_PORT", 8082);
        Registration registration = new Registration(TYPE, port);
        registration.start();
        Thread.sleep(Settings.startupMs(TYPE));
        Http.serve(TYPE, port, Map.of("/gateway/rest/health", exchange -> health()));
        registration.startupOver();
        Scheduler.start(TYPE, registration, Scheduler.throughDataService());
        Thread.currentThread().join();
    }

    private static Http.Answer health() {
        String base = Settings.text("CERTLOCKER_DATASERVICE_URL", "http://127.0.0.1:8083");
        try {
            return Http.get(base + "/data/rest/health", DATASERVICE_TIMEOUT_MS);
        } catch (IOException e) {
            return Http.Answer.down("dataservice: " + Http.cause(e));
        }
    }
}
