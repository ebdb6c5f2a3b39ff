import java.util.Map;

/**
 * Environment variables of a stand-in.
 *
 * The start-up profile decides how long a service takes to start. `reported` waits as long as the real services (large
 * Spring-like applications), so that a crashed container serves again after the reported 10-20 s. `fast`, for CI, adds no
 * delay. The wait costs no CPU, because ten of these services share two cores.
 */
final class Settings {
    /** Milliseconds between process start and the HTTP port opening, profile `reported`. */
    private static final Map<String, Long> REPORTED_STARTUP_MS = Map.of(
            "ROUTER", 3_000L, "DATASERVICE", 10_000L, "GATEWAY", 11_000L, "EDGE", 12_000L, "BASTION", 10_000L);
    /** Milliseconds between the HTTP port opening (Docker: healthy) and the Router's ACTIVE, profile `reported`. */
    private static final long REPORTED_REGISTRATION_MS = 1_000L;

    private Settings() {}

    static String text(String name, String fallback) {
        String value = System.getenv(name);
        return value == null || value.isBlank() ? fallback : value.trim();
    }

    static long number(String name, long fallback) {
        String value = text(name, Long.toString(fallback));
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " must be a whole number, got '" + value + "'");
        }
    }

    static String node() {
        return text("CERTLOCKER_HA_NODE_NAME", "node-1");
    }

    private static boolean reported() {
        String profile = text("CERTLOCKER_STARTUP_PROFILE", "reported");
        return switch (profile) {
            case "reported" -> true;
            case "fast" -> false;
            default -> throw new IllegalArgumentException(
                    "CERTLOCKER_STARTUP_PROFILE must be reported or fast, got '" + profile + "'");
        };
    }

    /** Simulated start-up of one service; CERTLOCKER_STARTUP_MS_TYPE overrides the profile. */
    static long startupMs(String type) {
        return number("CERTLOCKER_STARTUP_MS_" + type, reported() ? REPORTED_STARTUP_MS.get(type) : 0L);
    }

    /** Delay between the open port and ACTIVE; CERTLOCKER_REGISTRATION_MS overrides the profile. */
    static long registrationMs() {
        return number("CERTLOCKER_REGISTRATION_MS", reported() ? REPORTED_REGISTRATION_MS : 0L);
    }
}
