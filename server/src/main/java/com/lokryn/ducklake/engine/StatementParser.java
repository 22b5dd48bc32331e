package com.lokryn.ducklake.engine;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * DuckDB's own parse of a query, as JSON ({@code json_serialize_sql}). It is asked of an instance
 * that has no data, no extensions and no access to anything, so that nothing is bound or looked up.
 * Thread-safe; callers are threads that may enter the engine.
 */
public final class StatementParser {
  private static final int MAX_IDLE = 16;

  private StatementParser() {}

  /** Opened when it is needed first. */
  private static final class Lazy {
    static final Connection INSTANCE = open();
    static final ConcurrentLinkedQueue<Connection> IDLE = new ConcurrentLinkedQueue<>();

    private static Connection open() {
      var properties = new Properties();
      properties.putAll(
          java.util.Map.of(
              "threads", "1",
              "memory_limit", "512MB",
              "temp_directory", "",
              "enable_external_access", "false",
              "autoload_known_extensions", "false",
              "autoinstall_known_extensions", "false",
              "lock_configuration", "true"));
      try {
        return DriverManager.getConnection("jdbc:duckdb:", properties);
      } catch (SQLException e) {
        throw new IllegalStateException("DuckDB's parser cannot be opened", e);
      }
    }
  }

  /**
   * The parse of a text: {@code {"error": false, "statements": [{"node": …}]}}, or {@code {"error":
   * true, "error_type": …, "error_message": …}} for what is not a query or not SQL.
   */
  public static String json(String sql) throws EngineException {
    Connection connection = Lazy.IDLE.poll();
    try {
      if (connection == null) {
        connection = ((org.duckdb.DuckDBConnection) Lazy.INSTANCE).duplicate();
      }
      String json;
      // The skipped parts are defaults; what is left out has no names in it.
      try (var statement =
          connection.prepareStatement(
              "SELECT json_serialize_sql(?::VARCHAR, skip_empty := true)")) {
        statement.setString(1, sql);
        try (var rows = statement.executeQuery()) {
          rows.next();
          json = rows.getString(1);
        }
      }
      if (Lazy.IDLE.size() < MAX_IDLE) {
        Lazy.IDLE.add(connection);
        connection = null;
      }
      return json;
    } catch (SQLException e) {
      throw EngineException.of(e);
    } finally {
      if (connection != null) {
        close(connection);
      }
    }
  }

  private static void close(Connection connection) {
    try {
      connection.close();
    } catch (SQLException e) {
      throw new IllegalStateException("closing a connection failed", e);
    }
  }
}
