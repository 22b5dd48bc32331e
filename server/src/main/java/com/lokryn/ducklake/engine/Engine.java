package com.lokryn.ducklake.engine;

import com.lokryn.ducklake.engine.OpenResults.Ahead;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.arrow.memory.BufferAllocator;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;

/**
 * One DuckDB instance. It has a connection of its own, through which it is set up, and hands out
 * further ones; closing it interrupts and closes them all. Thread-safe.
 */
public final class Engine implements AutoCloseable {
  /** Connections that wait for another use; each costs a few kilobytes. */
  private static final int MAX_IDLE = 64;

  /**
   * A connection of the driver's that waits for another use.
   *
   * @param ahead how far its results run ahead
   */
  private record Idle(DuckDBConnection driver, Ahead ahead) {}

  private final DuckDBConnection first;
  private final BufferAllocator allocator;
  private final Set<EngineConnection> connections = ConcurrentHashMap.newKeySet();
  private final Namespace home;
  private final Deque<Idle> idle = new ConcurrentLinkedDeque<>();
  private final OpenResults results = new OpenResults();
  private final SchemaPins pins;
  private volatile KeptReads reads = new KeptReads(0);
  private volatile Runnable lostCatalogConnection = () -> {};
  private final AtomicBoolean closed = new AtomicBoolean();

  /** Nothing connects any more; what is connected goes on. */
  private volatile boolean retired;

  private Engine(DuckDBConnection first, Namespace home, BufferAllocator allocator) {
    this.first = first;
    this.home = home;
    this.allocator = allocator;
    this.pins = new SchemaPins(first, home);
  }

  /**
   * Opens an in-memory instance; lakes are attached to it.
   *
   * @param home where sessions begin
   * @param allocator takes in the engine's Arrow batches. It must have no limit of its own: a
   *     refused import leaks native memory (arrow-java issues 1239 and 1240)
   */
  public static Engine open(EngineOptions options, Namespace home, BufferAllocator allocator)
      throws EngineException {
    try {
      DuckDBConnection first =
          (DuckDBConnection) DriverManager.getConnection("jdbc:duckdb:", options.properties());
      var engine = new Engine(first, home, allocator);
      engine.run("SET GLOBAL TimeZone='UTC'");
      if (options.maxTemporaryBytes() > 0) {
        // As an option of the start it would be shown, and not held to (DuckDB 1.5.5).
        engine.run(
            "SET GLOBAL max_temp_directory_size='%dB'".formatted(options.maxTemporaryBytes()));
      }
      return engine;
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /** Runs statements of the set-up on the instance's own connection, one after the other. */
  public synchronized void run(String sql) throws EngineException {
    try (var statement = first.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /** Runs statements as {@link #run} does, in one transaction. */
  public synchronized void runTogether(String... statements) throws EngineException {
    run("BEGIN");
    try {
      for (String statement : statements) {
        run(statement);
      }
      run("COMMIT");
    } catch (EngineException e) {
      try {
        run("ROLLBACK");
      } catch (EngineException ended) {
        e.addSuppressed(ended);
      }
      throw e;
    }
  }

  /**
   * A connection whose names are looked up in the given catalog and schema first. Making one costs
   * 10 microseconds, but to place it in a lake opens the lake's snapshot twice, some 3 ms; so
   * connections that were {@link EngineConnection#giveBack given back} are used again.
   */
  public EngineConnection connect(Namespace namespace) throws EngineException {
    try {
      @Nullable Idle found = namespace.equals(home) ? idle.pollLast() : null;
      Idle used = found == null ? new Idle(first.duplicate(), Ahead.USUAL) : found;
      var connection =
          new EngineConnection(
              used.driver, namespace, used.ahead, allocator, this, new HeldSchemas(pins));
      connections.add(connection);
      if (closed.get() || retired) {
        connection.close();
        throw new EngineException(EngineError.CONNECTION, "Connection Error: the engine is closed");
      }
      if (found == null) {
        connection.bound();
        var _ =
            pins.reading(
                () -> {
                  connection.use(namespace);
                  return connection;
                });
      }
      connection.runAhead(results.ahead());
      return connection;
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /**
   * Runs a small query of the server's own where names are looked up in no lake, so that DuckLake
   * does not read the lake's schema for it, and gives its rows as text.
   */
  List<List<String>> rowsApart(String sql) throws EngineException {
    try (DuckDBConnection apart = first.duplicate()) {
      return EngineConnection.rows(apart, sql);
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /**
   * Has transactions that have only read kept open for others, so many at once; as long as they
   * wait, each holds a connection to the lake's catalog.
   */
  public void keepReads(int most) {
    reads = new KeptReads(most);
  }

  /** What to do, on any thread, when a transaction has lost its connection to the catalog. */
  public void onLostCatalogConnection(Runnable listener) {
    lostCatalogConnection = listener;
  }

  void lostCatalogConnection() {
    lostCatalogConnection.run();
  }

  /** Keeps a connection in its transaction, or ends that. */
  void keep(EngineConnection connection, long snapshot) {
    if (closed.get() || retired || !reads.keep(connection, snapshot)) {
      connection.endRead();
    }
  }

  /**
   * A connection in the middle of a transaction that has only read; see {@link
   * EngineConnection#giveBackReading}. Empty where none is there that sees the snapshot.
   *
   * @param namespace in which its names are looked up first
   * @param snapshot of the lake
   */
  public Optional<EngineConnection> connectWithin(Namespace namespace, long snapshot)
      throws EngineException {
    Optional<EngineConnection> found = reads.take(namespace, snapshot);
    if (found.isPresent()) {
      EngineConnection connection = found.get();
      connections.add(connection);
      if (closed.get() || retired) {
        connection.close();
        return Optional.empty();
      }
      connection.runAhead(results.ahead());
    }
    return found;
  }

  /**
   * Asks whether the instance takes work at all. After an internal error DuckDB refuses everything,
   * with an error that says so.
   */
  public boolean isInvalidated() {
    try (var probe = first.duplicate();
        var statement = probe.createStatement()) {
      statement.execute("SELECT 1");
      return false;
    } catch (SQLException e) {
      return EngineException.of(e).isInstanceLost();
    }
  }

  /** A connection that is no longer used. */
  void closed(EngineConnection connection) {
    connections.remove(connection);
    closeIfUnused();
  }

  /** Takes no connections any more, and closes when the last of those there are has ended. */
  public void retire() {
    retired = true;
    reads.close();
    closeIdle();
    closeIfUnused();
  }

  private void closeIfUnused() {
    if (retired && !closed.get() && connections.isEmpty()) {
      // It lets go of files and of its connections to Postgres: not in a statement's thread.
      EngineThreads.factory("engine-retire").newThread(this::close).start();
    }
  }

  /**
   * A driver's connection that may be used again, or is closed when there are enough. Only one
   * namespace is worth keeping connections for: where every session begins.
   */
  void idle(Namespace namespace, DuckDBConnection driver, Ahead ahead) throws SQLException {
    if (closed.get() || retired || !namespace.equals(home) || idle.size() >= MAX_IDLE) {
      driver.close();
      return;
    }
    var free = new Idle(driver, ahead);
    idle.addLast(free);
    if ((closed.get() || retired) && idle.remove(free)) {
      driver.close();
    }
  }

  /** The versions of the lake's schema that transactions use. */
  SchemaPins pins() {
    return pins;
  }

  /** The results that are open. */
  OpenResults results() {
    return results;
  }

  /** Connections that are open now, without the engine's own. */
  public int openConnections() {
    return connections.size();
  }

  public boolean isClosed() {
    return closed.get();
  }

  private void closeIdle() {
    try {
      for (Idle free = idle.poll(); free != null; free = idle.poll()) {
        free.driver.close();
      }
    } catch (SQLException e) {
      throw new IllegalStateException("closing a connection failed", e);
    }
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    reads.close();
    connections.forEach(EngineConnection::abort);
    closeIdle();
    pins.close();
    try {
      first.close();
    } catch (SQLException e) {
      throw new IllegalStateException("closing the engine failed", e);
    }
  }
}
