package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.testing.TestingLakeServer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** A connection of the stock Arrow Flight SQL JDBC driver to a server for each test. */
abstract class JdbcTestBase {
  private static TestingLakeServer server;
  Connection connection;

  @BeforeAll
  static void start() throws Exception {
    server = TestingLakeServer.start();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @BeforeEach
  void connect() throws SQLException {
    connection = connect("");
  }

  @AfterEach
  void disconnect() throws SQLException {
    connection.close();
  }

  static Connection connect(String properties) throws SQLException {
    return DriverManager.getConnection(
        "jdbc:arrow-flight-sql://127.0.0.1:%d/?useEncryption=false%s"
            .formatted(server.port(), properties));
  }

  void run(String... statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.executeUpdate(sql);
      }
    }
  }

  /** The only row of a query, as text. */
  List<String> row(String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      var values = new ArrayList<String>();
      for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
        values.add(rows.getString(i));
      }
      return values;
    }
  }

  static List<String> names(ResultSet rows, String column) throws SQLException {
    var names = new ArrayList<String>();
    try (rows) {
      while (rows.next()) {
        names.add(rows.getString(column));
      }
    }
    return names;
  }
}
