package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** Statements, transactions and limits through the stock JDBC driver. */
class JdbcIT extends JdbcTestBase {
  /** The driver asks for the end of its session when it has closed its channel already. */
  @Test
  void aCatalogInTheUrl() throws Exception {
    Connection named = connect("&catalog=lake");
    try (Statement statement = named.createStatement();
        ResultSet rows = statement.executeQuery("SELECT current_catalog()")) {
      assertThat(rows.next()).isTrue();
      assertThat(rows.getString(1)).isEqualTo("lake");
    }
    assertThatThrownBy(named::close).hasMessageContaining("Channel shutdown invoked");
  }

  @Test
  void statementsRunOnce() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      assertThat(statement.executeUpdate("CREATE OR REPLACE TABLE j (i INT, s VARCHAR)")).isZero();
      assertThat(statement.executeUpdate("INSERT INTO j VALUES (1, 'a'), (2, NULL)")).isEqualTo(2);
      assertThat(statement.execute("INSERT INTO j VALUES (3, 'c')")).isFalse();
      assertThat(statement.getUpdateCount()).isEqualTo(1);
      assertThat(statement.execute("SELECT count(*) FROM j")).isTrue();
      try (ResultSet rows = statement.getResultSet()) {
        assertThat(rows.next()).isTrue();
        assertThat(rows.getLong(1)).isEqualTo(3);
      }
      try (ResultSet rows = statement.executeQuery("SELECT * FROM j ORDER BY i")) {
        rows.next();
        rows.next();
        assertThat(rows.getInt("i")).isEqualTo(2);
        assertThat(rows.getString("s")).isNull();
        assertThat(rows.wasNull()).isTrue();
      }
    }
  }

  @Test
  void errorsHaveTheEnginesText() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      assertThatThrownBy(() -> statement.executeQuery("SELECT * FROM nothing_here"))
          .isInstanceOf(SQLException.class)
          .hasStackTraceContaining("Table with name nothing_here does not exist");
      assertThatThrownBy(() -> statement.executeQuery("SELECT 1; SELECT 2"))
          .hasStackTraceContaining("none of them was run");
    }
  }

  @Test
  void aLargeResult() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery("SELECT i, i::VARCHAR AS s FROM range(500000) t(i)")) {
      long sum = 0;
      while (rows.next()) {
        sum += rows.getLong(1);
      }
      assertThat(sum).isEqualTo(500_000L * 499_999 / 2);
    }
  }

  /** The driver's own commit and rollback send nothing (18.3.0); those of SQL are the server's. */
  @Test
  void transactions() throws SQLException {
    run("CREATE OR REPLACE TABLE tx (i INT)", "BEGIN", "INSERT INTO tx VALUES (1)", "ROLLBACK");
    assertThat(row("SELECT count(*) FROM tx")).containsExactly("0");
    run("BEGIN", "INSERT INTO tx VALUES (1)");
    try (Connection other = connect("");
        Statement statement = other.createStatement();
        ResultSet rows = statement.executeQuery("SELECT count(*) FROM tx")) {
      rows.next();
      assertThat(rows.getInt(1)).isZero();
    }
    run("COMMIT");
    assertThat(row("SELECT count(*) FROM tx")).containsExactly("1");
    assertThatThrownBy(connection::setSavepoint)
        .isInstanceOf(SQLFeatureNotSupportedException.class);
  }

  @Test
  void limitsOfAStatement() throws SQLException {
    run("CREATE OR REPLACE TABLE l (i INT)");
    try (Statement statement = connection.createStatement()) {
      statement.setMaxRows(3);
      statement.setFetchSize(10);
      try (ResultSet rows = statement.executeQuery("SELECT * FROM range(100000) t(i)")) {
        assertThat(names(rows, "i")).containsExactly("0", "1", "2");
      }
      assertThat(statement.executeLargeUpdate("INSERT INTO l VALUES (1), (2)")).isEqualTo(2);
      assertThatThrownBy(statement::getGeneratedKeys)
          .isInstanceOf(SQLFeatureNotSupportedException.class);
    }
    assertThat(connection.isValid(2)).isTrue();
  }

  @Test
  void cancel() throws Exception {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT i FROM range(100000000000) t(i)")) {
      assertThat(rows.next()).isTrue();
      statement.cancel();
      assertThatThrownBy(
              () -> {
                while (rows.next()) {}
              })
          .hasStackTraceContaining("ancel");
    }
    assertThat(row("SELECT 1")).containsExactly("1");
  }

  @Test
  void whereNamesAreLookedUp() throws SQLException {
    run("CREATE SCHEMA IF NOT EXISTS elsewhere", "USE lake.elsewhere");
    assertThat(row("SELECT current_schema()")).containsExactly("elsewhere");
    connection.setCatalog("lake");
    assertThat(connection.getCatalog()).isEqualTo("lake");
  }

  @Test
  void aClosedConnection() throws SQLException {
    Connection closed = connect("");
    closed.close();
    closed.close();
    assertThat(closed.isClosed()).isTrue();
    assertThatThrownBy(closed::createStatement).isInstanceOf(SQLException.class);
  }
}
