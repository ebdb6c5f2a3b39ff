import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Stand-in for CertLocker's DataService (jeremy-dataservice), the only service that uses the database, through the
 * node's own pgpool.
 *
 * Reproduced behavior: if pgpool does not answer at start, the connection pool stays broken (see Database). Such a
 * DataService stays up, answers 503, and is STARTING in the Router's registry until it is restarted.
 * /data/rest/health proves a usable primary with a SELECT through the pool, within the 900 ms of a probe.
 */
final class DataService {
    private static final String TYPE = "DATASERVICE";
    private static final long SELECT_TIMEOUT_MS = 450;

    private DataService() {}

    public static void main(String[] args) throws Exception {
        int port = (int) Settings.number("SERVER_PORT", 8083);
        Registration registration = new Registration(TYPE, port);
        registration.start();
        // At the beginning of the start-up, like the real service: it must not start before pgpool answers.
        Database database = Database.open(TYPE);
        Thread.sleep(Settings.startupMs(TYPE));
        Http.serve(TYPE, port, Map.of(
                "/data/rest/health", exchange -> health(database),
                "/data/rest/scheduler-ticks", exchange -> tick(database, exchange)));
        if (database.usable()) {
            registration.startupOver();
            Scheduler.start(TYPE, registration, database::writeTick);
        }
        Thread.currentThread().join();
    }

    private static Http.Answer health(Database database) {
        if (!database.usable()) return Http.Answer.down("pool failed at start");
        try {
            Database.Primary primary = database.primary(SELECT_TIMEOUT_MS);
            Map<String, Object> db = new LinkedHashMap<>();
            db.put("node", primary.clusterName());
            db.put("address", primary.address());
            if (primary.readOnly()) return Http.Answer.down("database is read-only", Map.of("db", db));
            return Http.Answer.up(Map.of("db", db));
        } catch (IOException e) {
            return Http.Answer.down("database: " + e.getMessage());
        }
    }

    private static Http.Answer tick(Database database, HttpExchange exchange) throws IOException {
        if (!exchange.getRequestMethod().equals("POST")) return new Http.Answer(405, "{\"status\":\"POST_ONLY\"}");
        if (!database.usable()) return Http.Answer.down("pool failed at start");
        Map<String, String> query = new HashMap<>();
        for (String pair : String.valueOf(exchange.getRequestURI().getQuery()).split("&")) {
            int equals = pair.indexOf('=');
            if (equals > 0) query.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
        try {
            database.writeTick(new Scheduler.Tick(query.get("type"), query.get("node"), query.get("role"),
                    query.get("instance"), Long.parseLong(query.getOrDefault("seq", "0"))));
            return Http.Answer.up(Map.of());
        } catch (IOException e) {
            return Http.Answer.down("database: " + e.getMessage());
        }
    }
}
