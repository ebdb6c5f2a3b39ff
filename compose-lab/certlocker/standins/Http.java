import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;

/**
 * HTTP for all stand-ins: a small server, and a client with a time limit for each call.
 *
 * Each service answers /health only for its own liveness, for Docker's health check. This differs deliberately from ACTIVE
 * in the Router's registry: a service can be healthy for Docker and still be STARTING.
 */
final class Http {
    private static final int THREADS = 16;
    private static final HttpClient CLIENT = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofMillis(300))
            .build();

    private Http() {}

    /** An endpoint's answer: a status and a JSON body. */
    record Answer(int status, String body) {
        static Answer up(Map<String, ?> more) {
            return of(200, "UP", more);
        }

        static Answer down(String reason) {
            return down(reason, Map.of());
        }

        static Answer down(String reason, Map<String, ?> more) {
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("reason", reason);
            body.putAll(more);
            return of(503, "DOWN", body);
        }

        private static Answer of(int status, String word, Map<String, ?> more) {
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("status", word);
            body.put("node", Settings.node());
            body.putAll(more);
            return new Answer(status, Json.of(body));
        }
    }

    /** An endpoint. An exception becomes a 500. */
    interface Endpoint {
        Answer answer(HttpExchange exchange) throws Exception;
    }

    /** Opens the port. Called after the start-up: a service that is starting refuses connections. */
    static void serve(String type, int port, Map<String, Endpoint> endpoints) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 128);
        server.setExecutor(Executors.newFixedThreadPool(THREADS, task -> {
            Thread thread = new Thread(task, "http");
            thread.setDaemon(true);
            return thread;
        }));
        server.createContext("/", exchange -> respond(exchange, e -> new Answer(404, "{\"status\":\"NOT_FOUND\"}")));
        server.createContext("/health", exchange -> respond(exchange, e -> Answer.up(Map.of("type", type))));
        endpoints.forEach((path, endpoint) -> server.createContext(path, exchange -> respond(exchange, endpoint)));
        server.start();
        Log.line(type, "event=listening port=" + port);
    }

    private static void respond(HttpExchange exchange, Endpoint endpoint) throws IOException {
        try (exchange) {
            Answer answer;
            try {
                answer = endpoint.answer(exchange);
            } catch (Exception e) {
                answer = new Answer(500, Json.of(Map.of("status", "ERROR", "reason", e.toString())));
            }
            byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.getResponseHeaders().set("Cache-Control", "no-store");
            exchange.sendResponseHeaders(answer.status(), body.length);
            exchange.getResponseBody().write(body);
        }
    }

    /** GET with one time limit for the connect and the answer. Throws IOException, also for a timeout. */
    static Answer get(String url, long timeoutMs) throws IOException {
        return send(HttpRequest.newBuilder(URI.create(url)).GET(), timeoutMs);
    }

    static Answer post(String url, long timeoutMs) throws IOException {
        return send(HttpRequest.newBuilder(URI.create(url)).POST(HttpRequest.BodyPublishers.noBody()), timeoutMs);
    }

    private static Answer send(HttpRequest.Builder request, long timeoutMs) throws IOException {
        try {
            HttpResponse<String> response = CLIENT.send(
                    request.timeout(Duration.ofMillis(timeoutMs)).build(), HttpResponse.BodyHandlers.ofString());
            return new Answer(response.statusCode(), response.body());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** A short, stable name of a failure, for `reason` fields. */
    static String cause(IOException e) {
        if (e instanceof java.net.http.HttpTimeoutException) return "timeout";
        if (e instanceof java.net.ConnectException) return "refused";
        return e.getClass().getSimpleName();
    }
}
