package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.gate.Bypasses;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingUsers;
import com.lokryn.ducklake.testing.TrapHost;
import io.grpc.Status;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.arrow.flight.SessionOptionValueFactory;
import org.apache.arrow.flight.SetSessionOptionsRequest;
import org.apache.arrow.flight.sql.FlightSqlClient;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableExistsOption;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableNotExistOption;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients of each role cannot do, on every way that a statement takes to the engine. */
class GateIT {
  private static final String CANARY = "the-canary-of-a-file";

  private static TestingLakeServer server;
  private static Path file;
  private static TrapHost trap;

  private TestingClient root;
  private TestingClient wanda;
  private TestingClient ria;

  @BeforeAll
  static void start() throws Exception {
    file = Files.createTempDirectory("outside").resolve("canary.csv");
    Files.writeString(file, CANARY + "\n");
    trap = new TrapHost();
    server = TestingLakeServer.start(Map.of("flight_users", TestingUsers.each()));
    try (TestingClient client = as("root")) {
      client.update("CREATE TABLE t AS SELECT 1 AS i");
      client.update("INSERT INTO t VALUES (2)");
    }
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
    trap.close();
    TestingLakeServer.delete(file.getParent());
  }

  private static TestingClient as(String user) {
    return TestingClient.of(server.port(), user, TestingUsers.PASSWORD);
  }

  @BeforeEach
  void connect() {
    root = as("root");
    wanda = as("wanda");
    ria = as("ria");
  }

  @AfterEach
  void disconnect() throws Exception {
    root.close();
    wanda.close();
    ria.close();
  }

  static Stream<String> bypasses() {
    return Bypasses.all()
        .map(
            sql ->
                sql.replace("%FILE%", file.toString())
                    .replace("%DATA%", server.directory().resolve("data") + "/")
                    .replace("%HOST%", "127.0.0.1:" + trap.port()));
  }

  @ParameterizedTest
  @MethodSource("bypasses")
  void areRefusedOnEveryWay(String sql) throws Exception {
    for (TestingClient client : List.of(root, ria)) {
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.info(sql)).doesNotContain(CANARY);
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.sql().prepare(sql));
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.update(sql));
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.sql().getExecuteSchema(sql));
      FlightSqlClient.Transaction transaction = client.sql().beginTransaction();
      try {
        assertFails(
            Status.Code.PERMISSION_DENIED, () -> client.sql().executeUpdate(sql, transaction));
        assertFails(Status.Code.PERMISSION_DENIED, () -> client.sql().execute(sql, transaction));
        assertFails(Status.Code.PERMISSION_DENIED, () -> client.sql().prepare(sql, transaction));
      } finally {
        client.sql().rollback(transaction);
      }
    }
    assertThat(trap.connections()).as("connections to another host").isZero();
    assertThat(ria.rows("SELECT i FROM t ORDER BY i")).isEqualTo(List.of(List.of(1), List.of(2)));
    assertThat(Files.readString(file)).isEqualTo(CANARY + "\n");
  }

  /** Each took gigabytes before. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT len(range(100000000))",
        "SELECT len(range(a)) FROM (SELECT 100000000 AS a)",
        "SELECT len(range(0, -100000000, -1))",
        "SELECT len(list_transform(range(50000000), x -> x + 1))",
        "SELECT len(generate_series(1, 100000000))",
        "SELECT len(range(TIMESTAMP '2020-01-01', TIMESTAMP '2030-01-01', INTERVAL 1 SECOND))",
        "SELECT length(repeat('x', 2000000000))",
        "SELECT len(repeat([1, 2, 3], 100000000))",
        "SELECT octet_length(repeat('x'::BLOB, 2000000000))",
      })
  void valuesHaveBounds(String sql) {
    assertFails(Status.Code.INVALID_ARGUMENT, () -> ria.rows(sql)).contains("at most");
    assertFails(Status.Code.INVALID_ARGUMENT, () -> ria.update("CREATE TEMP TABLE x AS " + sql));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT len(range(4))",
        "SELECT len(range(1, 5))",
        "SELECT len(range(8, 0, -2))",
        "SELECT len(generate_series(1, 4))",
        "SELECT len(range(DATE '2020-01-01', DATE '2020-01-05', INTERVAL 1 DAY))",
        "SELECT len(range(TIMESTAMPTZ '2020-01-01', TIMESTAMPTZ '2020-01-05', INTERVAL 1 DAY))",
        "SELECT length(repeat('ab', 2))",
        "SELECT octet_length(repeat('ab'::BLOB, 2))",
        "SELECT len(repeat([1, 2], 2))",
        "SELECT count(*) FROM range(4)",
        "SELECT count(*) FROM generate_series(1, 4)",
        "SELECT count(*) FROM repeat('x', 4)",
      })
  void whatIsBoundedWorksAsBefore(String sql) throws Exception {
    assertThat(((Number) ria.value(sql)).longValue()).isEqualTo(4);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "INSERT INTO t VALUES (3)",
        "INSERT INTO lake.t VALUES (3)",
        "INSERT INTO t SELECT 3",
        "WITH x AS (SELECT 3) INSERT INTO t FROM x",
        "UPDATE t SET i = 3",
        "UPDATE main.t SET i = 3",
        "DELETE FROM t",
        "DELETE FROM lake.main.t WHERE i = 1",
        "TRUNCATE t",
        "MERGE INTO t USING (SELECT 1 AS i) s USING (i) WHEN MATCHED THEN DELETE",
        "CREATE TABLE made AS SELECT 1",
        "CREATE OR REPLACE TABLE t AS SELECT 1 AS i",
        "CREATE TABLE IF NOT EXISTS made (i INT)",
        "CREATE VIEW made AS SELECT 1",
        "CREATE MACRO made() AS 1",
        "CREATE SCHEMA made",
        "DROP TABLE t",
        "DROP TABLE IF EXISTS lake.main.t",
        "ALTER TABLE t ADD COLUMN j INT",
        "ALTER TABLE t RENAME TO u",
        "ALTER TABLE t ADD COLUMN j INT DEFAULT (1 + 1)",
        "COMMENT ON TABLE t IS 'mine'",
        "EXPLAIN ANALYZE INSERT INTO t VALUES (3)",
        "EXPLAIN ANALYZE DELETE FROM t",
        "CALL lake.set_option('parquet_compression', 'zstd')",
        "CALL ducklake_expire_snapshots('lake', older_than => now())",
        "FROM ducklake_merge_adjacent_files('lake')",
        "CHECKPOINT lake",
      })
  void aReaderChangesNothingOfTheLake(String sql) throws Exception {
    Object before = root.value("SELECT max(snapshot_id) FROM lake.snapshots()");
    assertFails(Status.Code.PERMISSION_DENIED, () -> ria.update(sql));
    assertFails(Status.Code.PERMISSION_DENIED, () -> ria.rows(sql));
    FlightSqlClient.Transaction transaction = ria.sql().beginTransaction();
    assertFails(Status.Code.PERMISSION_DENIED, () -> ria.sql().executeUpdate(sql, transaction));
    ria.sql().rollback(transaction);
    ria.update("BEGIN");
    assertFails(Status.Code.PERMISSION_DENIED, () -> ria.update(sql));
    ria.update("ROLLBACK");
    assertThat(root.value("SELECT max(snapshot_id) FROM lake.snapshots()")).isEqualTo(before);
  }

  @Test
  void aReaderHasTemporaryObjects() throws Exception {
    ria.update("CREATE TEMP TABLE x AS SELECT i FROM t");
    assertThat(ria.update("INSERT INTO x VALUES (5)")).isEqualTo(1);
    assertThat(ria.update("UPDATE x SET i = 6 WHERE i = 5")).isEqualTo(1);
    ria.update("CREATE TEMP VIEW seen AS SELECT sum(i)::INT AS n FROM x");
    ria.update("CREATE TEMP MACRO twice(a) AS a * 2");
    assertThat(ria.value("SELECT twice(n) FROM seen")).isEqualTo(18);
    ria.update("BEGIN");
    ria.update("DELETE FROM x");
    ria.update("ROLLBACK");
    assertThat(ria.value("SELECT n FROM seen")).isEqualTo(9);
    ria.update("DROP VIEW temp.seen");
    ria.update("DROP TABLE x");
  }

  /** What the name means decides, not what it meant when the statement was read. */
  @Test
  void aTemporaryTableOfTheNameOpensNothing() throws Exception {
    ria.update("CREATE TEMP TABLE t AS SELECT 9 AS i");
    assertThat(ria.update("DELETE FROM t")).isEqualTo(1);
    try (var prepared = ria.sql().prepare("DELETE FROM t")) {
      ria.update("DROP TABLE temp.t");
      assertFails(Status.Code.PERMISSION_DENIED, prepared::executeUpdate);
    }
    assertFails(Status.Code.PERMISSION_DENIED, () -> ria.update("DELETE FROM t"));
    assertThat(root.value("SELECT count(*) FROM t")).isEqualTo(2L);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CALL lake.merge_adjacent_files()",
        "CALL ducklake_cleanup_old_files('lake', cleanup_all => true)",
        "FROM ducklake_list_files('lake', 't')",
        "CHECKPOINT lake",
      })
  void maintenanceIsForAdmins(String sql) throws Exception {
    for (TestingClient client : List.of(wanda, ria)) {
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.info(sql)).contains("admin");
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.update(sql)).contains("admin");
    }
    root.update(sql);
  }

  @Test
  void aWriterChangesTheLake() throws Exception {
    wanda.update("CREATE TABLE w (i INT)");
    wanda.update("INSERT INTO w VALUES (1)");
    wanda.update("CREATE VIEW wv AS SELECT * FROM w");
    wanda.update("CREATE MACRO wm(a) AS a + 1");
    assertThat(ria.value("SELECT wm(i) FROM wv")).isEqualTo(2);
    wanda.update("DROP VIEW wv");
    wanda.update("DROP MACRO wm");
    wanda.update("DROP TABLE w");
  }

  @ParameterizedTest
  @ValueSource(strings = {"memory", "system", "__ducklake_metadata_lake", "nowhere"})
  void ingestsGoToTheLakeOnly(String catalog) throws Exception {
    for (TestingClient client : List.of(root, wanda)) {
      assertFails(Status.Code.PERMISSION_DENIED, () -> ingest(client, catalog));
    }
    assertFails(Status.Code.PERMISSION_DENIED, () -> ingest(ria, "lake"))
        .contains("the role writer");
  }

  private static long ingest(TestingClient client, String catalog) {
    var options =
        new FlightSqlClient.ExecuteIngestOptions(
            "made",
            TableDefinitionOptions.newBuilder()
                .setIfNotExist(TableNotExistOption.TABLE_NOT_EXIST_OPTION_CREATE)
                .setIfExists(TableExistsOption.TABLE_EXISTS_OPTION_FAIL)
                .build(),
            catalog,
            "main",
            Map.of());
    var vector = new IntVector("i", client.allocator());
    vector.allocateNew(1);
    vector.set(0, 1);
    try (var root = VectorSchemaRoot.of(vector)) {
      root.setRowCount(1);
      return client.sql().executeIngest(root, options);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"memory", "system", "__ducklake_metadata_lake"})
  void sessionOptionsOpenNoOtherCatalog(String catalog) throws Exception {
    var options = Map.of("catalog", SessionOptionValueFactory.makeSessionOptionValue(catalog));
    assertThat(root.sql().setSessionOptions(new SetSessionOptionsRequest(options)).getErrors())
        .containsKey("catalog");
    assertThat(root.value("SELECT current_catalog()")).isEqualTo("lake");
  }

  @Test
  void statementsPreparedBySqlAreLookedAtAgain() throws Exception {
    ria.update("PREPARE p AS SELECT i FROM t WHERE i > $1");
    assertThat(ria.rows("EXECUTE p(1)")).isEqualTo(List.of(List.of(2)));
    assertFails(Status.Code.NOT_FOUND, () -> ria.rows("EXECUTE other(1)"));
    ria.update("DEALLOCATE p");
  }
}
