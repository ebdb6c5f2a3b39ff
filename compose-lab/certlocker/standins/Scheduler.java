import java.io.IOException;

/**
 * Stand-in for the scheduled jobs of CertLocker's services (ACME housekeeping, expiry checks), which only a master may run.
 *
 * Reproduced behavior: a MASTER works on a schedule, a slave never does. Here the work is one row per tick in the table
 * scheduler_tick, so that the data show two masters of one type, or none.
 */
final class Scheduler {
    /** Writes one tick, or throws. */
    interface Sink {
        void write(Tick tick) throws IOException;
    }

    /** seq counts this process's ticks from 1, written or not, so that a gap in the data is a failed tick. */
    record Tick(String type, String node, String role, String instance, long seq) {}

    private Scheduler() {}

    static void start(String type, Registration registration, Sink sink) {
        long intervalMs = Settings.number("CERTLOCKER_SCHEDULER_INTERVAL_MS", 5_000);
        Thread thread = new Thread(() -> run(type, registration, sink, intervalMs), "scheduler");
        thread.setDaemon(true);
        thread.start();
    }

    private static void run(String type, Registration registration, Sink sink, long intervalMs) {
        boolean failing = false;
        for (long seq = 1; ; seq++) {
            try {
                Thread.sleep(intervalMs);
            } catch (InterruptedException e) {
                return;
            }
            if (!registration.role().equals("MASTER")) {
                seq = 0;
                continue;
            }
            try {
                sink.write(new Tick(type, Settings.node(), "MASTER", registration.instance, seq));
                if (failing || seq == 1) Log.line(type, "event=scheduler-writing seq=" + seq);
                failing = false;
            } catch (IOException e) {
                if (!failing) Log.line(type, "event=scheduler-failing seq=" + seq + " why=" + e.getMessage());
                failing = true;
            }
        }
    }

    /** The sink of all services except DataService: the rows go through the node's own DataService. */
    static Sink throughDataService() {
        String base = Settings.text("CERTLOCKER_DATASERVICE_URL", "http://127.0.0.1:8083");
        return tick -> {
            Http.Answer answer = Http.post(base + "/data/rest/scheduler-ticks?type=" + tick.type() + "&node=" + tick.node()
                    + "&role=" + tick.role() + "&instance=" + tick.instance() + "&seq=" + tick.seq(), 3_000);
            if (answer.status() != 200) throw new IOException("http-" + answer.status());
        };
    }
}
