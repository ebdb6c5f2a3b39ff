import java.io.IOException;
import java.util.Map;

/**
 * Stand-in for CertLocker's Edge (jeremy-edge), the service that clients reach through the node's HAProxy.
 *
 * Reproduced behavior: /edge/rest/health checks the whole traffic path. It answers 200 only if Gateway, DataService, and a
 * SELECT on a writable primary answer, and if this Edge is ACTIVE in the Router's registry. While the Router is down, or
 * does not know this Edge, the answer is 503 although the container is healthy.
 */
final class Edge {
    private static final String TYPE = "EDGE";
    /** The sum is below 900 ms, the usual timeout of a probe, so that the answer names a part that hangs. */
    private static final long GATEWAY_TIMEOUT_MS = 550;
    private static final long ROUTER_TIMEOUT_MS = 300;
    /** An answer of the Router is reused for this time, so that a burst of probes sends it one request. */
    private static final long ROUTER_CACHE_MS = 200;

    private final Registration registration;
    private final String routerUrl = Settings.text("APPLICATION_ROUTER", "http://127.0.0.1:9000");
    private final String gatewayUrl = Settings.text("CERTLOCKER_GATEWAY_URL", "http://127.0.0.1:8082");
    private long askedAtNs;
    private String routerVerdict;

    private Edge(Registration registration) {
        this.registration = registration;
    }

    public static void main(String[] args) throws Exception {
        int port = (int) Settings.number("SERVER_PORT", 8081);
        Registration registration = new Registration(TYPE, port);
        registration.start();
        Thread.sleep(Settings.startupMs(TYPE));
        Edge edge = new Edge(registration);
        Http.serve(TYPE, port, Map.of("/edge/rest/health", exchange -> edge.health()));
        registration.startupOver();
        Scheduler.start(TYPE, registration, Scheduler.throughDataService());
        Thread.currentThread().join();
    }

    private Http.Answer health() {
        String router = routerVerdict();
        if (!router.equals("ACTIVE")) return Http.Answer.down("router: " + router);
        try {
            return Http.get(gatewayUrl + "/gateway/rest/health", GATEWAY_TIMEOUT_MS);
        } catch (IOException e) {
            return Http.Answer.down("gateway: " + Http.cause(e));
        }
    }

    /** ACTIVE, STARTING, UNKNOWN (not in the registry), or the error of the request to the Router. */
    private synchronized String routerVerdict() {
        long now = System.nanoTime();
        if (routerVerdict == null || now - askedAtNs > ROUTER_CACHE_MS * 1_000_000) {
            routerVerdict = askRouter();
            askedAtNs = System.nanoTime();
        }
        return routerVerdict;
    }

    private String askRouter() {
        try {
            String body = Http.get(routerUrl + "/router/rest/registrations/" + registration.instance, ROUTER_TIMEOUT_MS).body();
            for (String status : new String[] {"ACTIVE", "STARTING", "UNKNOWN"}) {
                if (body.contains("\"status\":\"" + status + "\"")) return status;
            }
            return "unexpected answer";
        } catch (IOException e) {
            return Http.cause(e);
        }
    }
}
