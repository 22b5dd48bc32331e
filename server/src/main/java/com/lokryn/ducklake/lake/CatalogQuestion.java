package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.engine.NewestSnapshot;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGProperty;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks a catalog in Postgres for its newest snapshot, by a connection of its own that is in no
 * transaction: one statement, where the engine needs six to begin a transaction, look, and end it.
 * Those who ask while another's question is on its way share the one after it.
 *
 * <p>It is never needed: where Postgres does not answer here, statements begin their own
 * transactions, and say what is wrong. Thread-safe.
 */
final class CatalogQuestion implements NewestSnapshot, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CatalogQuestion.class);

  /**
   * DuckLake's tables are in this schema, as its ATTACH names none. A standby does not know the
   * newest: one that was the primary when the connection was made must not be believed.
   */
  private static final String NEWEST =
      "SELECT max(snapshot_id) FROM public.ducklake_snapshot WHERE NOT pg_is_in_recovery()";

  private static final int CONNECT_SECONDS = 2;
  private static final int ANSWER_SECONDS = 2;

  /** After a failure nobody is kept waiting for the next one for so long. */
  private static final long PAUSE_NANOS = Duration.ofSeconds(5).toNanos();

  /** One question to Postgres, and those who wait for its answer. */
  private static final class Round {
    private boolean asked;
    private OptionalLong answer = OptionalLong.empty();
  }

  /**
   * The question that is on its way is the holder's. It guards what is below, but {@link #next}.
   */
  private final ReentrantLock asking = new ReentrantLock();

  private final Supplier<PostgresCatalog> where;
  private @Nullable PostgresCatalog connectedTo;
  private java.sql.@Nullable Connection connection;
  private @Nullable PreparedStatement question;
  private long failedAt;
  private boolean failed;
  private volatile boolean closed;

  /** The question that is to be asked next. Guarded by this. */
  private @Nullable Round next;

  /**
   * @param where the catalog is; another login is taken up with the next question
   */
  CatalogQuestion(Supplier<PostgresCatalog> where) {
    this.where = where;
  }

  @Override
  public OptionalLong ask() {
    Round mine = join();
    asking.lock();
    try {
      if (!mine.asked) {
        // Whoever comes from here on may want to see a commit that this question does not.
        leave(mine);
        mine.asked = true;
        mine.answer = askPostgres();
      }
      return mine.answer;
    } finally {
      asking.unlock();
    }
  }

  private synchronized Round join() {
    if (next == null) {
      next = new Round();
    }
    return next;
  }

  private synchronized void leave(Round round) {
    if (next == round) {
      next = null;
    }
  }

  private OptionalLong askPostgres() {
    if (closed || (failed && System.nanoTime() - failedAt < PAUSE_NANOS)) {
      return OptionalLong.empty();
    }
    PostgresCatalog catalog = where.get();
    // A connection that broke while nobody asked is no failure of Postgres's.
    boolean isUsed = catalog.equals(connectedTo) && question != null;
    try {
      return answer(catalog);
    } catch (SQLException e) {
      disconnect();
      if (!isUsed) {
        return failed(e);
      }
    }
    try {
      return answer(catalog);
    } catch (SQLException e) {
      disconnect();
      return failed(e);
    }
  }

  private OptionalLong failed(SQLException failure) {
    failed = true;
    failedAt = System.nanoTime();
    // Not its text, which may name the login: statements say what is wrong.
    LOG.debug("Postgres does not tell the newest snapshot: {}", failure.getSQLState());
    return OptionalLong.empty();
  }

  private OptionalLong answer(PostgresCatalog catalog) throws SQLException {
    try (ResultSet rows = question(catalog).executeQuery()) {
      failed = false;
      rows.next();
      long newest = rows.getLong(1);
      return rows.wasNull() ? OptionalLong.empty() : OptionalLong.of(newest);
    }
  }

  private PreparedStatement question(PostgresCatalog catalog) throws SQLException {
    PreparedStatement prepared = question;
    if (prepared != null && catalog.equals(connectedTo)) {
      return prepared;
    }
    disconnect();
    java.sql.Connection opened =
        DriverManager.getConnection(
            "jdbc:postgresql://%s:%d/".formatted(host(catalog), catalog.port()),
            properties(catalog));
    connection = opened;
    connectedTo = catalog;
    prepared = opened.prepareStatement(NEWEST);
    question = prepared;
    return prepared;
  }

  private static String host(PostgresCatalog catalog) {
    return catalog.host().contains(":") ? "[" + catalog.host() + "]" : catalog.host();
  }

  private static Properties properties(PostgresCatalog catalog) {
    var properties = new Properties();
    PGProperty.PG_DBNAME.set(properties, catalog.database());
    PGProperty.USER.set(properties, catalog.user());
    PGProperty.PASSWORD.set(properties, catalog.password().reveal());
    PGProperty.SSL_MODE.set(properties, catalog.sslMode());
    String authority = System.getenv("PGSSLROOTCERT");
    if (authority != null) {
      PGProperty.SSL_ROOT_CERT.set(properties, authority);
    }
    PGProperty.GSS_ENC_MODE.set(properties, "disable");
    PGProperty.APPLICATION_NAME.set(properties, "ducklake-flight");
    PGProperty.CONNECT_TIMEOUT.set(properties, CONNECT_SECONDS);
    PGProperty.LOGIN_TIMEOUT.set(properties, CONNECT_SECONDS);
    PGProperty.SOCKET_TIMEOUT.set(properties, ANSWER_SECONDS);
    PGProperty.TCP_KEEP_ALIVE.set(properties, true);
    PGProperty.PREPARE_THRESHOLD.set(properties, 1);
    PGProperty.READ_ONLY.set(properties, true);
    PGProperty.READ_ONLY_MODE.set(properties, "ignore");
    return properties;
  }

  private void disconnect() {
    question = null;
    connectedTo = null;
    try (java.sql.Connection _ = connection) {
      connection = null;
    } catch (SQLException e) {
      LOG.debug("a connection to Postgres did not close well: {}", e.getSQLState());
    }
  }

  @Override
  public void close() {
    closed = true;
    asking.lock();
    try {
      disconnect();
    } finally {
      asking.unlock();
    }
  }
}
