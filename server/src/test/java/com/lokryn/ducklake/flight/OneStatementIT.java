package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.testing.LocalServer;
import com.lokryn.ducklake.testing.TestingClient;
import io.grpc.Status;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A request runs one statement, and leaves nothing to another client. */
class OneStatementIT {
  @RegisterExtension static final LocalServer server = new LocalServer();

  private TestingClient client;

  @BeforeEach
  void connect() {
    client = server.connect();
  }

  /** Texts in which a second statement hides behind what looks like a string. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT 1; DROP TABLE kept",
        "SELECT 1a$b$; DROP TABLE kept; SELECT 2a$b$",
        "SELECT 1e'\\''; DROP TABLE kept; --'",
        "SELECT e'a'\n'\\''; DROP TABLE kept; --'",
        "SELECT 1 AS a\u2028$b$; DROP TABLE kept; SELECT 2 AS a$b$",
        "SELECT 1 AS a\u1680$b$; DROP TABLE kept; SELECT 2 AS a$b$",
      })
  void noneOfSeveralIsRun(String sql) throws Exception {
    client.update("CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS i");
    assertFails(Status.Code.INVALID_ARGUMENT, () -> client.info(sql));
    assertFails(Status.Code.INVALID_ARGUMENT, () -> client.update(sql));
    assertFails(Status.Code.INVALID_ARGUMENT, () -> client.sql().prepare(sql));
    assertFails(Status.Code.INVALID_ARGUMENT, () -> client.sql().getExecuteSchema(sql));
    assertThat(client.value("SELECT count(*) FROM kept")).isEqualTo(1L);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT 'a;b'",
        "SELECT 'a;b';\n",
        "SELECT e'a;b'",
        "SELECT $x$a;b$x$; -- that's all; really",
        "/* one; two */ SELECT 'a;b'",
        "SELECT \"a;b\" FROM (SELECT 'a;b' AS \"a;b\")",
      })
  void semicolonsInsideOfOneAreNone(String sql) throws Exception {
    assertThat(client.value(sql)).isEqualTo("a;b");
  }

  @Test
  void aPivotIsOne() throws Exception {
    assertThat(client.rows("PIVOT (SELECT 1 AS a, 'x;' AS b) ON b USING sum(a);")).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT setseed(0.5)",
        "SELECT \"SETSEED\"(0.5)",
        "SELECT \"SetSeed\"(0.5)",
        "EXPLAIN ANALYZE SELECT \"SETSEED\"(0.5)"
      })
  void aSeedIsOnlyItsClients(String seeding) throws Exception {
    Object known = seeded();
    client.rows(seeding);
    try (TestingClient other = server.connect()) {
      for (int i = 0; i < 4; i++) {
        assertThat(other.value("SELECT random()")).isNotEqualTo(known);
      }
    }
  }

  /** The number that follows the seed. */
  private static Object seeded() throws Exception {
    try (var connection = java.sql.DriverManager.getConnection("jdbc:duckdb:");
        var statement = connection.createStatement()) {
      statement.execute("SELECT setseed(0.5)");
      try (var rows = statement.executeQuery("SELECT random()")) {
        rows.next();
        return rows.getObject(1);
      }
    }
  }

  @Test
  void aTextOfMegabytesRunsAndALongerOneIsRefused() throws Exception {
    String most = "SELECT 1 /*" + " ".repeat((16 << 20) - 16) + "*/";
    assertThat(client.rows(most)).isEqualTo(List.of(List.of(1)));
    assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> client.info(most + "      "))
        .contains("16 MiB");
  }
}
