import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * DataService's connection pool (HikariCP over the PostgreSQL driver) to pgpool on 127.0.0.1.
 *
 * Reproduced behavior: if pgpool does not answer while the pool is created, the pool stays broken until the service is
 * restarted. After that it survives failovers: the pool's validation discards a connection that pgpool has dropped, and
 * pgpool routes the next connection to the new primary.
 */
final class Database {
    /** Time limit of the only attempt at start, for a busy machine. A refused connection fails at once. */
    private static final int FIRST_LOGIN_TIMEOUT_S = 10;
    private static final int POOL_SIZE = 6;
    private static final String CREATE_TABLE = """
            CREATE TABLE IF NOT EXISTS scheduler_tick (
              id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
              at timestamptz NOT NULL DEFAULT clock_timestamp(),
              type text NOT NULL, node text NOT NULL, role text NOT NULL,
              instance uuid NOT NULL, seq bigint NOT NULL)""";

    /** The server that answered the SELECT: its cluster_name and address, and whether it refuses writes. */
    record Primary(String clusterName, String address, boolean readOnly) {}

    private final HikariDataSource pool;
    // As many threads as connections and no queue: a database that hangs blocks these threads, but no caller.
    private final ThreadPoolExecutor workers = new ThreadPoolExecutor(
            0, POOL_SIZE, 30, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
                Thread thread = new Thread(task, "select");
                thread.setDaemon(true);
                return thread;
            });
    private volatile boolean tableKnown;

    private Database(HikariDataSource pool) {
        this.pool = pool;
    }

    /** Creates the pool. If that fails, the pool stays broken. */
    static Database open(String type) {
        String url = Settings.text("CERTLOCKER_DB_URL", "jdbc:postgresql://127.0.0.1:5432/certlocker")
                // No TLS to pgpool on the loopback; from pgpool to PostgreSQL there is only TLS.
                // Simple queries: one message through pgpool instead of three, and no prepared statements to lose at a failover.
                + "?sslmode=disable&connectTimeout=2&socketTimeout=3&tcpKeepAlive=true&preferQueryMode=simple"
                + "&ApplicationName=certlocker-dataservice-" + Settings.node();
        String user = Settings.text("CERTLOCKER_DB_USER", "certlocker");
        String password = Settings.text("CERTLOCKER_DB_PASSWORD", "");
        long startNs = System.nanoTime();
        try (Connection first = DriverManager.getConnection(
                url.replace("socketTimeout=3", "socketTimeout=" + FIRST_LOGIN_TIMEOUT_S)
                        + "&loginTimeout=" + FIRST_LOGIN_TIMEOUT_S, user, password)) {
            first.isValid(FIRST_LOGIN_TIMEOUT_S);
        } catch (SQLException e) {
            Log.line(type, "event=pool-failed-at-start note=broken-until-restarted why=" + why(e) + " elapsed_ms="
                    + (System.nanoTime() - startNs) / 1_000_000);
            return new Database(null);
        }
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url + "&loginTimeout=3");
        config.setUsername(user);
        config.setPassword(password);
        config.setMaximumPoolSize(POOL_SIZE);
        config.setMinimumIdle(2);
        config.setConnectionTimeout(400);
        config.setValidationTimeout(250);
        // Must be explicit. Otherwise HikariCP reads it from the first connection, and gets -1 if pgpool drops that one. It
        // then uses -1 for every later connection, which the driver refuses (0A000).
        config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
        // The check at start is the login above, with its own time limit.
        config.setInitializationFailTimeout(-1);
        Database database = new Database(new HikariDataSource(config));
        Log.line(type, "event=pool-ready elapsed_ms=" + (System.nanoTime() - startNs) / 1_000_000);
        return database;
    }

    boolean usable() {
        return pool != null;
    }

    /** Queries through the pool which server answers, within timeoutMs. Throws IOException with a short cause. */
    Primary primary(long timeoutMs) throws IOException {
        Future<Primary> answer;
        try {
            answer = workers.submit(this::select);
        } catch (RejectedExecutionException e) {
            throw new IOException("all connections busy");
        }
        try {
            return answer.get(timeoutMs, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new IOException("no answer within " + timeoutMs + " ms");
        } catch (ExecutionException e) {
            throw new IOException(why(e.getCause()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted");
        }
    }

    private Primary select() throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT coalesce(current_setting('cluster_name', true), ''), coalesce(host(inet_server_addr()), ''),"
                                + " current_setting('transaction_read_only') <> 'off' OR pg_is_in_recovery()")) {
            row.next();
            return new Primary(row.getString(1), row.getString(2), row.getBoolean(3));
        }
    }

    /** Writes one scheduler row, and creates the table if needed. Throws IOException with a short cause. */
    void writeTick(Scheduler.Tick tick) throws IOException {
        try (Connection connection = pool.getConnection()) {
            if (!tableKnown) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute(CREATE_TABLE);
                }
                tableKnown = true;
            }
            try (PreparedStatement insert = connection.prepareStatement(
                    "INSERT INTO scheduler_tick (type, node, role, instance, seq) VALUES (?, ?, ?, ?::uuid, ?)")) {
                insert.setString(1, tick.type());
                insert.setString(2, tick.node());
                insert.setString(3, tick.role());
                insert.setString(4, tick.instance());
                insert.setLong(5, tick.seq());
                insert.executeUpdate();
            }
        } catch (SQLException e) {
            throw new IOException(why(e));
        }
    }

    /** The SQL state if there is one (it is stable and short), else the first line of the message. */
    private static String why(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql && sql.getSQLState() != null) return "sqlstate-" + sql.getSQLState();
        }
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("").replace(' ', '_');
    }
}
