import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Stand-in for the registration client in CertLocker's services.
 *
 * Reproduced behavior: a service registers at start, and retries while no Router answers. It reports ACTIVE after its
 * start-up, and keeps the connection open. If the connection breaks after the registration, it is never opened again: the
 * service keeps its role, and is missing from the registry until it is restarted. The watchdog's rule 2 repairs this. It is
 * also why a master without a connection to its Router keeps its scheduler running.
 */
final class Registration {
    private static final int RETRY_MS = 1_000;
    private static final int CONNECT_TIMEOUT_MS = 1_000;
    private static final int ANSWER_TIMEOUT_MS = 5_000;
    private static final int PING_INTERVAL_MS = 2_000;

    /** Random id of this process, so that the Router can be queried about exactly this run of the service. */
    final String instance = UUID.randomUUID().toString();

    private final String type;
    private final int port;
    private final CountDownLatch startupOver = new CountDownLatch(1);
    private volatile String role = "NONE";
    private boolean registered;

    Registration(String type, int port) {
        this.type = type;
        this.port = port;
    }

    /** MASTER, SLAVE, or NONE before a Router has answered. */
    String role() {
        return role;
    }

    /** Starts the registration in the background. From then on, the service is STARTING in the registry. */
    void start() {
        Thread thread = new Thread(this::run, "registration");
        thread.setDaemon(true);
        thread.start();
    }

    /** Called after the start-up, when the service's port is open. */
    void startupOver() {
        startupOver.countDown();
    }

    private void run() {
        String[] router = Settings.text("ApplicationRegistra", "127.0.0.1:40905").split(":");
        boolean waitingLogged = false;
        while (true) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(router[0], Integer.parseInt(router[1])), CONNECT_TIMEOUT_MS);
                socket.setSoTimeout(ANSWER_TIMEOUT_MS);
                socket.setTcpNoDelay(true);
                BufferedReader in = new BufferedReader(
                        new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
                PrintWriter out = new PrintWriter(socket.getOutputStream(), true, StandardCharsets.US_ASCII);
                converse(in, out);
            } catch (IOException | InterruptedException e) {
                if (registered) {
                    Log.line(type, "event=router-lost router=" + router[0] + " role=" + role
                            + " note=not-registering-again-until-restarted");
                    return;
                }
                if (!waitingLogged) Log.line(type, "event=router-awaited router=" + router[0]);
                waitingLogged = true;
            }
            try {
                Thread.sleep(RETRY_MS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** Uses one connection until it breaks; ends only with an exception. */
    private void converse(BufferedReader in, PrintWriter out) throws IOException, InterruptedException {
        String answer = ask(in, out, "REGISTER type=" + type + " name=certlocker-" + type.toLowerCase()
                + " node=" + Settings.node() + " port=" + port + " instance=" + instance);
        if (!answer.startsWith("ROLE ")) throw new IOException("unexpected answer");
        role = answer.substring("ROLE ".length());
        registered = true;
        Log.line(type, "event=registered role=" + role);
        boolean active = false;
        while (true) {
            if (!active && startupOver.await(PING_INTERVAL_MS, TimeUnit.MILLISECONDS)) {
                Thread.sleep(Settings.registrationMs());
                if (!ask(in, out, "ACTIVE").equals("OK")) throw new IOException("unexpected answer");
                active = true;
                Log.line(type, "event=active role=" + role);
            } else {
                if (active) Thread.sleep(PING_INTERVAL_MS);
                if (!ask(in, out, "PING").equals("PONG")) throw new IOException("unexpected answer");
            }
        }
    }

    private static String ask(BufferedReader in, PrintWriter out, String line) throws IOException {
        out.println(line);
        String answer = in.readLine();
        if (answer == null) throw new IOException("router closed the connection");
        return answer;
    }
}
