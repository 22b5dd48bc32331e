package com.lokryn.ducklake.engine;

import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.arrow.memory.BufferAllocator;
import org.duckdb.DuckDBConnection;

/**
 * One DuckDB instance. It has a connection of its own, through which it is set up, and hands out
 * further ones; closing it interrupts and closes them all. Thread-safe.
 */
public final class Engine implements AutoCloseable {
  private final DuckDBConnection first;
  private final BufferAllocator allocator;
  private final Set<EngineConnection> connections = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  private Engine(DuckDBConnection first, BufferAllocator allocator) {
    this.first = first;
    this.allocator = allocator;
  }

  /**
   * Opens an in-memory instance; lakes are attached to it.
   *
   * @param allocator takes in the engine's Arrow batches. It must have no limit of its own: a
   *     refused import leaks native memory (arrow-java issues 1239 and 1240)
   */
  public static Engine open(EngineOptions options, BufferAllocator allocator)
      throws EngineException {
    try {
      DuckDBConnection first =
          (DuckDBConnection) DriverManager.getConnection("jdbc:duckdb:", options.properties());
      var engine = new Engine(first, allocator);
      engine.run("SET GLOBAL TimeZone='UTC'");
      return engine;
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /** Runs statements of the set-up on the instance's own connection. */
  public void run(String sql) throws EngineException {
    try (var statement = first.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /**
   * A new connection, whose names are looked up in the given catalog and schema first. It costs
   * some 10 microseconds, so connections are not pooled: nothing of one user's can reach another.
   */
  public EngineConnection connect(Namespace namespace) throws EngineException {
    try {
      var connection = new EngineConnection(first.duplicate(), allocator, connections::remove);
      connections.add(connection);
      if (closed) {
        connection.close();
        throw new EngineException(EngineError.CONNECTION, "Connection Error: the engine is closed");
      }
      connection.use(namespace);
      return connection;
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /** Connections that are open now, without the engine's own. */
  public int openConnections() {
    return connections.size();
  }

  @Override
  public void close() {
    closed = true;
    connections.forEach(EngineConnection::close);
    try {
      first.close();
    } catch (SQLException e) {
      throw new IllegalStateException("closing the engine failed", e);
    }
  }
}
