import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** One line per event on stdout (the container's journal): UTC time, type, message as key=value words. */
final class Log {
    private Log() {}

    static void line(String type, String message) {
        System.out.println(Instant.now().truncatedTo(ChronoUnit.MILLIS) + " " + type + " " + message);
    }
}
