import com.sun.net.httpserver.HttpExchange;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Stand-in for CertLocker's Router (jeremy-router), the in-memory service registry that assigns roles.
 *
 * Reproduced behavior:
 * - Services register over TCP (port 40905). The registered address is the source address of that socket, so the real
 *   services need host networking.
 * - The first service of a type is MASTER, each later one SLAVE. Roles are assigned only at registration: if a master goes
 *   away, no slave is promoted, and the next service that registers becomes master.
 * - A service is STARTING until it reports the end of its start-up, then ACTIVE.
 * - Nothing is stored: after a restart the registry is empty, and registered services do not register again (see
 *   Registration; the watchdog's rule 2 repairs this).
 *
 * The report does not describe the following, so it is a decision of this lab: an entry exists as long as its connection.
 * It is removed when the connection closes (the process died), or after SILENCE_MS without a message (the machine lost
 * power: no FIN, no RST). If a service of a node registers again, its new entry replaces the old one at once.
 *
 * The protocol, one line each way:
 *   REGISTER type=EDGE name=certlocker-edge node=node-1 port=8081 instance=ID  ->  ROLE MASTER|SLAVE
 *   ACTIVE                                                                     ->  OK
 *   PING                                                                       ->  PONG
 */
final class Router {
    private static final String TYPE = "ROUTER";
    private static final int SILENCE_MS = 15_000;

    private static final class Entry {
        final Map<String, String> words;
        final Socket socket;
        final Instant registeredAt = now();
        String role = "SLAVE";
        Instant activeAt;

        Entry(Map<String, String> words, Socket socket) {
            this.words = words;
            this.socket = socket;
        }

        boolean sameServiceAs(Entry other) {
            return type().equals(other.type()) && words.get("node").equals(other.words.get("node"));
        }

        String type() {
            return words.get("type");
        }

        String status() {
            return activeAt == null ? "STARTING" : "ACTIVE";
        }

        String describe() {
            return "type=" + type() + " node=" + words.get("node") + " ip=" + socket.getInetAddress().getHostAddress()
                    + " role=" + role;
        }
    }

    private final Instant startedAt = now();
    private final List<Entry> entries = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        Thread.sleep(Settings.startupMs(TYPE));
        Router router = new Router();
        Http.serve(TYPE, (int) Settings.number("SERVER_PORT", 9000), Map.of(
                "/router/rest/status", exchange -> router.status(),
                "/router/rest/registrations/", router::registration));
        router.accept((int) Settings.number("REGISTRA_PORT", 40905));
    }

    private void accept(int port) throws IOException {
        try (ServerSocket server = new ServerSocket()) {
            server.setReuseAddress(true);
            server.bind(new InetSocketAddress(port), 128);
            Log.line(TYPE, "event=accepting port=" + port);
            while (true) {
                Socket socket = server.accept();
                Thread thread = new Thread(() -> converse(socket), "registra");
                thread.setDaemon(true);
                thread.start();
            }
        }
    }

    private void converse(Socket socket) {
        Entry entry = null;
        String why = "closed";
        try (socket;
                BufferedReader in = new BufferedReader(
                        new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
                PrintWriter out = new PrintWriter(socket.getOutputStream(), true, StandardCharsets.US_ASCII)) {
            socket.setSoTimeout(SILENCE_MS);
            socket.setTcpNoDelay(true);
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (entry == null) {
                    entry = new Entry(words(line), socket);
                    register(entry);
                    out.println("ROLE " + entry.role);
                } else if (line.equals("ACTIVE")) {
                    activate(entry);
                    out.println("OK");
                } else if (line.equals("PING")) {
                    out.println("PONG");
                } else {
                    throw new IOException("unknown message");
                }
            }
        } catch (IOException e) {
            why = e.getMessage();
        } finally {
            if (entry != null) remove(entry, why);
        }
    }

    private static Map<String, String> words(String line) throws IOException {
        Map<String, String> words = new LinkedHashMap<>();
        String[] parts = line.split(" ");
        for (String part : parts) {
            int equals = part.indexOf('=');
            if (equals > 0) words.put(part.substring(0, equals), part.substring(equals + 1));
        }
        for (String needed : List.of("type", "name", "node", "port", "instance")) {
            if (!parts[0].equals("REGISTER") || !words.containsKey(needed)) throw new IOException("no registration");
        }
        if (!words.get("port").matches("[0-9]{1,5}")) throw new IOException("no port number");
        return words;
    }

    private synchronized void register(Entry entry) {
        for (Entry old : List.copyOf(entries)) {
            if (old.sameServiceAs(entry)) {
                entries.remove(old);
                Log.line(TYPE, "event=replaced " + old.describe());
                try {
                    old.socket.close();
                } catch (IOException ignored) {
                    // The socket's own thread notices the close; the entry is already removed.
                }
            }
        }
        boolean hasMaster = entries.stream().anyMatch(e -> e.type().equals(entry.type()) && e.role.equals("MASTER"));
        entry.role = hasMaster ? "SLAVE" : "MASTER";
        entries.add(entry);
        Log.line(TYPE, "event=registered " + entry.describe());
    }

    private synchronized void activate(Entry entry) {
        entry.activeAt = now();
        Log.line(TYPE, "event=active " + entry.describe());
    }

    private synchronized void remove(Entry entry, String why) {
        if (entries.remove(entry)) Log.line(TYPE, "event=removed " + entry.describe() + " why=" + why.replace(' ', '_'));
    }

    /** The whole registry. With uptimeMs, a reader knows the registry's age without comparing two clocks. */
    private synchronized Http.Answer status() {
        List<Map<String, Object>> services = new ArrayList<>();
        for (Entry entry : entries) {
            Map<String, Object> service = new LinkedHashMap<>();
            service.put("type", entry.type());
            service.put("name", entry.words.get("name"));
            service.put("node", entry.words.get("node"));
            service.put("ip", entry.socket.getInetAddress().getHostAddress());
            service.put("port", Integer.parseInt(entry.words.get("port")));
            service.put("role", entry.role);
            service.put("status", entry.status());
            service.put("registeredAt", entry.registeredAt.toString());
            service.put("activeAt", entry.activeAt == null ? null : entry.activeAt.toString());
            service.put("ageMs", Duration.between(entry.registeredAt, now()).toMillis());
            services.add(service);
        }
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("startedAt", startedAt.toString());
        body.put("uptimeMs", Duration.between(startedAt, now()).toMillis());
        body.put("node", Settings.node());
        body.put("services", services);
        return new Http.Answer(200, Json.of(body));
    }

    /** One registration by its service's instance id, for Edge's health check. */
    private synchronized Http.Answer registration(HttpExchange exchange) {
        String path = exchange.getRequestURI().getPath();
        String instance = path.substring(path.lastIndexOf('/') + 1);
        for (Entry entry : entries) {
            if (entry.words.get("instance").equals(instance)) {
                return new Http.Answer(200, Json.of(Map.of("status", entry.status())));
            }
        }
        return new Http.Answer(404, Json.of(Map.of("status", "UNKNOWN")));
    }

    private static Instant now() {
        return Instant.now().truncatedTo(ChronoUnit.MILLIS);
    }
}
