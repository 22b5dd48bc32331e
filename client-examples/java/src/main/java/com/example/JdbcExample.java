package com.example;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.stream.IntStream;

/** A table, a batch of rows, a query with a value and a transaction, with the JDBC driver. */
public final class JdbcExample {
  private JdbcExample() {}

  public static void main(String[] arguments) throws SQLException {
    Server server = Server.fromEnvironment();
    var properties = new Properties();
    properties.setProperty("useEncryption", String.valueOf(server.tls()));
    server.authority().ifPresent(file -> properties.setProperty("tlsRootCerts", file));
    server
        .login()
        .ifPresent(
            login -> {
              properties.setProperty("user", login.user());
              properties.setProperty("password", login.password());
            });
    String url = "jdbc:arrow-flight-sql://%s:%d".formatted(server.host(), server.port());
    try (Connection connection = DriverManager.getConnection(url, properties);
        Statement statement = connection.createStatement()) {
      statement.executeUpdate("CREATE OR REPLACE TABLE prices (item VARCHAR, euros DECIMAL(9, 2))");
      try (PreparedStatement insert =
          connection.prepareStatement("INSERT INTO prices VALUES (?, ?)")) {
        for (String[] row : new String[][] {{"apple", "0.40"}, {"bread", "3.20"}, {"wine", "7.90"}}) {
          insert.setString(1, row[0]);
          insert.setBigDecimal(2, new BigDecimal(row[1]));
          insert.addBatch();
        }
        System.out.println(IntStream.of(insert.executeBatch()).sum() + " rows inserted");
      }
      try (PreparedStatement query =
          connection.prepareStatement("SELECT * FROM prices WHERE euros > ? ORDER BY item")) {
        query.setBigDecimal(1, new BigDecimal("1.00"));
        try (ResultSet rows = query.executeQuery()) {
          while (rows.next()) {
            System.out.println(rows.getString("item") + " " + rows.getBigDecimal("euros"));
          }
        }
      }
      // commit() and rollback() of the driver send nothing: transactions are begun and ended in SQL.
      statement.execute("BEGIN");
      statement.executeUpdate("DELETE FROM prices");
      statement.execute("ROLLBACK");
      try (ResultSet rows = statement.executeQuery("SELECT count(*) FROM prices")) {
        rows.next();
        System.out.println(rows.getLong(1) + " rows after the rollback");
      }
    }
  }
}
