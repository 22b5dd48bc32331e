package com.lokryn.ducklake.query;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a transaction has of the lake's schema stays until it ends, whatever DuckLake's cache lets
 * go of meanwhile. Where it does not, the process ends: SIGSEGV.
 */
class SchemaLifetimeIT {
  private static TestingLakeServer server;

  @BeforeAll
  static void start() throws Exception {
    server = TestingLakeServer.start();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @BeforeEach
  void createTable() throws Exception {
    try (TestingClient client = server.connect()) {
      client.update("CREATE OR REPLACE TABLE t AS SELECT 1 AS i");
    }
  }

  /**
   * Has DuckLake forget each version of the schema, and what lay there overwritten. One commit
   * only: the snapshot after that of a transaction which is open must not expire, as DuckLake would
   * give its number to that transaction's commit (DuckLake of DuckDB 1.5.5).
   */
  private static void forgetSchemas() throws Exception {
    try (TestingClient other = server.connect()) {
      other.update("CREATE OR REPLACE TABLE u AS SELECT 1 AS x");
      other.update("CALL ducklake_expire_snapshots('lake', older_than => now())");
      for (int i = 0; i < 100; i++) {
        other.update("CREATE TEMPORARY TABLE other%d (i INTEGER)".formatted(i));
      }
    }
  }

  @Test
  void aPlanOfATransactionIsRunAgain() throws Exception {
    try (TestingClient client = server.connect()) {
      client.update("BEGIN");
      client.update("PREPARE p AS INSERT INTO t VALUES ($1)");
      client.update("EXECUTE p(2)");
      forgetSchemas();
      client.update("EXECUTE p(3)");
      client.update("COMMIT");
      assertThat(client.rows("FROM t ORDER BY i")).containsExactly(row(1), row(2), row(3));
    }
  }

  @Test
  void aPlanOfASessionIsRunInLaterTransactions() throws Exception {
    try (TestingClient client = server.connect()) {
      client.update("PREPARE p AS INSERT INTO t VALUES ($1)");
      client.update("CALL ducklake_expire_snapshots('lake', older_than => now())");
      client.update("EXECUTE p(2)");
      forgetSchemas();
      client.update("EXECUTE p(3)");
      client.update("CALL ducklake_expire_snapshots('lake', older_than => now())");
      client.update("EXECUTE p(4)");
      assertThat(client.rows("FROM t ORDER BY i")).containsExactly(row(1), row(2), row(3), row(4));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CREATE TABLE made AS SELECT 1 AS i",
        "ALTER TABLE t ADD COLUMN made INTEGER",
        "COMMENT ON TABLE t IS 'made'",
        "CREATE VIEW v AS SELECT 1 AS i",
        "CREATE SCHEMA s",
        "DELETE FROM t",
      })
  void whatATransactionHasMadeIsCommitted(String statement) throws Exception {
    try (TestingClient client = server.connect()) {
      client.update("BEGIN");
      client.update(statement);
      forgetSchemas();
      client.update("CREATE TABLE after AS SELECT count(*) AS n FROM t");
      client.update("COMMENT ON TABLE after IS 'of the same transaction'");
      client.update("COMMIT");
      assertThat(client.rows("SELECT comment FROM duckdb_tables() WHERE table_name = 'after'"))
          .containsExactly(List.of("of the same transaction"));
      client.update("DROP TABLE after");
      client.update("DROP TABLE IF EXISTS made");
      client.update("DROP VIEW IF EXISTS v");
      client.update("DROP SCHEMA IF EXISTS s");
    }
  }

  @Test
  void tablesAreMadeSideBySide() throws Exception {
    Callable<Void> work =
        () -> {
          try (TestingClient client = server.connect()) {
            String table = "side" + Thread.currentThread().threadId();
            for (int i = 0; i < 15; i++) {
              client.update("CREATE OR REPLACE TABLE %s AS FROM t".formatted(table));
              assertThat(client.rows("FROM " + table)).containsExactly(row(1));
            }
          }
          return null;
        };
    try (var threads = Executors.newFixedThreadPool(4)) {
      for (var done : threads.invokeAll(List.of(work, work, work, work))) {
        done.get();
      }
    }
  }

  private static List<Object> row(int value) {
    return List.of(value);
  }
}
