package com.lokryn.ducklake.production;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.engine.Sql;
import com.lokryn.ducklake.gate.Bypasses;
import com.lokryn.ducklake.testing.PlainDuckDb;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingRemoteServer;
import com.lokryn.ducklake.testing.TrapHost;
import io.grpc.Status;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flight.sql.FlightSqlClient.PreparedStatement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Views and macros that someone else has put into the catalog: whoever can write there reaches no
 * file and no host through this server's clients.
 */
class PlantedObjectsIT {
  private static TestingProduction services;
  private static String lake;
  private static TestingRemoteServer server;
  private static PlainDuckDb plain;
  private static TrapHost trap;
  private static Path canary;

  /** The macros to drop. */
  private static final List<String> planted = new ArrayList<>();

  private TestingClient client;

  @BeforeAll
  static void start() throws Exception {
    services = new TestingProduction();
    lake = services.newLake();
    canary = Files.createTempFile("canary", ".csv");
    Files.writeString(canary, "the-canary\n");
    trap = new TrapHost();
    server = TestingRemoteServer.start(services, lake, services.aws().endpoint(), Map.of());
    plain = new PlainDuckDb(services, lake);
    plain.run("CREATE TABLE t AS SELECT 1 AS i");
  }

  @AfterAll
  static void stop() throws Exception {
    plain.close();
    server.close();
    services.close();
    trap.close();
    Files.delete(canary);
  }

  @BeforeEach
  void connect() {
    client = server.connect();
  }

  @AfterEach
  void unplant() throws Exception {
    client.close();
    plain.run("DROP VIEW IF EXISTS planted");
    plain.run("DROP VIEW IF EXISTS outer_view");
    for (String kind : planted) {
      plain.run("DROP MACRO " + kind);
    }
    planted.clear();
    assertThat(trap.connections()).as("connections to another host").isZero();
  }

  private static String here(String body) {
    return body.replace("%FILE%", canary.toString()).replace("%PORT%", String.valueOf(trap.port()));
  }

  /** As one can who writes to the catalog's tables: nothing binds the text before. */
  private static void plantView(String body) throws Exception {
    plain.run("CREATE OR REPLACE VIEW planted AS SELECT 1 AS i");
    update("ducklake_view", "view_id = (SELECT max(view_id) FROM ducklake_view)", body);
  }

  private static void plantMacro(String definition, String body) throws Exception {
    plain.run("CREATE OR REPLACE MACRO " + definition);
    planted.add(
        (definition.contains("AS TABLE") ? "TABLE " : "")
            + definition.substring(0, definition.indexOf('(')));
    update("ducklake_macro_impl", "macro_id = (SELECT max(macro_id) FROM ducklake_macro)", body);
  }

  private static void update(String table, String which, String body) throws Exception {
    services
        .postgres()
        .run(
            lake,
            "UPDATE %s SET sql = %s WHERE %s".formatted(table, Sql.literal(here(body)), which));
    // Engines read the schema anew when it has another version.
    plain.run("CREATE OR REPLACE VIEW version_" + System.nanoTime() + " AS SELECT 1 AS i");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "FROM postgres_scan('host=127.0.0.1 port=%PORT%', 'public', 't')",
        "SELECT (SELECT i FROM postgres_scan('host=127.0.0.1 port=%PORT%', 'public', 't')) AS i",
        "SELECT * FROM postgres_query('__ducklake_metadata_lake', 'SELECT 1')",
        "SELECT * FROM read_csv('http://127.0.0.1:%PORT%/x.csv')",
        "SELECT * FROM '%FILE%'",
        "SELECT content FROM read_text('%FILE%')",
        "SELECT * FROM __ducklake_metadata_lake.ducklake_data_file",
        "SELECT system.main.current_setting('s3_secret_access_key') AS i",
        "FROM query('FROM read_text(''%FILE%'')')",
        "SELECT json_structure(repeat('[', 100000)) AS i",
      })
  void aViewIsRefusedWhereverItIsUsed(String body) throws Exception {
    plantView(body);
    plain.run("CREATE OR REPLACE VIEW outer_view AS SELECT 1 AS i");
    update(
        "ducklake_view",
        "view_id = (SELECT max(view_id) FROM ducklake_view WHERE view_name = 'outer_view')",
        "SELECT * FROM t, planted");
    for (String sql :
        List.of(
            "FROM planted",
            "SELECT count(*) FROM lake.main.planted",
            "FROM outer_view",
            "DESCRIBE planted",
            "SUMMARIZE planted",
            "EXPLAIN FROM planted",
            "WITH x AS (FROM planted) FROM x",
            "SELECT 1 WHERE EXISTS (FROM planted)",
            "PIVOT planted ON i USING count(*)",
            "CREATE TEMP TABLE x AS FROM planted",
            "CREATE TEMP VIEW x AS FROM planted",
            "INSERT INTO t SELECT 1 FROM planted",
            "UPDATE t SET i = 2 FROM planted",
            "DELETE FROM t USING planted",
            "COPY planted TO 's3://%s/data/exports/x.csv'".formatted(lake),
            "PREPARE p AS FROM planted",
            "FROM information_schema.columns",
            "FROM duckdb_columns()",
            "SHOW ALL TABLES",
            "PRAGMA table_info('planted')")) {
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.info(sql)).contains("planted");
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.update(sql)).contains("planted");
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.sql().prepare(sql))
          .contains("planted");
    }
    client.update("BEGIN");
    assertFails(Status.Code.PERMISSION_DENIED, () -> client.info("FROM planted"));
    client.update("ROLLBACK");
    assertFails(
            Status.Code.PERMISSION_DENIED,
            () ->
                TestingClient.rows(
                    client.stream(client.sql().getTables(null, null, null, null, true))))
        .contains("planted");
    assertThat(client.value("SELECT i FROM t")).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"SELECT a[1] FROM (SELECT [1] AS a)", "SUMMARIZE t", "SELECT i LIKE 'x' FROM t"})
  void aMacroIsLookedAtWhereNoneIsNamed(String sql) throws Exception {
    plantMacro("lower(a) AS a", "(SELECT content FROM read_text('%FILE%'))");
    assertFails(Status.Code.PERMISSION_DENIED, () -> client.info(sql)).contains("lower");
  }

  @ParameterizedTest
  @ValueSource(strings = {"lower('A')", "concat(lower('A'), 'b')"})
  void aMacroBeforeAFunctionIsRefused(String call) throws Exception {
    plantMacro("lower(a) AS a", "(SELECT content FROM read_text('%FILE%'))");
    assertFails(Status.Code.PERMISSION_DENIED, () -> client.info("SELECT " + call))
        .contains("lower");
    assertThat(client.value("SELECT i FROM t")).isEqualTo(1);
  }

  @Test
  void aMacroBeforeAnOperatorIsRefused() throws Exception {
    plantMacro(
        "\"+\"(a, b) AS a", "(SELECT max(i) FROM postgres_scan('port=%PORT%', 'public', 't'))");
    assertFails(Status.Code.PERMISSION_DENIED, () -> client.info("SELECT i + 1 FROM t"));
    assertFails(Status.Code.PERMISSION_DENIED, () -> client.update("UPDATE t SET i = i + 0"));
  }

  @Test
  void aMacroBeforeATableFunctionIsRefused() throws Exception {
    plantMacro("range(a) AS TABLE SELECT a", "FROM postgres_scan('port=%PORT%', 'public', 't')");
    assertFails(Status.Code.PERMISSION_DENIED, () -> client.info("FROM range(3)"));
    assertFails(Status.Code.PERMISSION_DENIED, () -> client.update("INSERT INTO t FROM range(3)"));
  }

  /** The server's own questions name what they mean. */
  @Test
  void theServerItselfCallsNoMacro() throws Exception {
    plantMacro(
        "ducklake_current_snapshot(a) AS TABLE SELECT a",
        "FROM postgres_scan('port=%PORT%', 'public', 't')");
    plantMacro("ducklake_set_commit_message(a) AS a", "(SELECT content FROM read_text('%FILE%'))");
    assertThat(client.value("SELECT i FROM t")).isEqualTo(1);
    client.update("INSERT INTO t VALUES (1)");
    plain.run("DELETE FROM t");
    plain.run("INSERT INTO t VALUES (1)");
  }

  @Test
  void whatWasPreparedIsLookedAtWhenItRuns() throws Exception {
    plain.run("CREATE OR REPLACE VIEW planted AS SELECT 1 AS i");
    client.update("CREATE TEMP VIEW own AS FROM planted");
    client.update("PREPARE p AS FROM planted");
    try (TestingClient other = server.connect();
        PreparedStatement prepared = other.sql().prepare("SELECT i FROM planted")) {
      assertThat(rows(other, prepared)).hasSize(1);
      assertThat(client.rows("FROM own")).hasSize(1);
      assertThat(client.rows("EXECUTE p")).hasSize(1);
      plantView("SELECT 2 AS i FROM postgres_scan('port=%PORT%', 'public', 't')");
      assertFails(Status.Code.PERMISSION_DENIED, () -> rows(other, prepared));
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.rows("FROM own"));
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.rows("EXECUTE p"));
    }
  }

  private static List<List<Object>> rows(TestingClient other, PreparedStatement prepared)
      throws Exception {
    try (var stream = other.stream(prepared.execute())) {
      return TestingClient.rows(stream);
    }
  }

  @Test
  void aTransactionGoesOnWithWhatItSaw() throws Exception {
    plain.run("CREATE OR REPLACE VIEW planted AS SELECT 7 AS i");
    client.update("BEGIN");
    assertThat(client.value("SELECT i FROM t")).isEqualTo(1);
    plantView("SELECT content AS i FROM read_text('%FILE%')");
    assertThat(client.value("SELECT i FROM planted")).isEqualTo(7);
    client.update("COMMIT");
    assertFails(Status.Code.PERMISSION_DENIED, () -> client.info("SELECT i FROM planted"));
  }

  @Test
  void aViewOfThePastIsRefusedToo() throws Exception {
    plantView("SELECT content AS i FROM read_text('%FILE%')");
    Object version = client.value("SELECT max(snapshot_id) FROM lake.snapshots()");
    plain.run("DROP VIEW planted");
    assertFails(Status.Code.NOT_FOUND, () -> client.info("FROM planted"));
    assertFails(
        Status.Code.PERMISSION_DENIED,
        () -> client.info("FROM planted AT (VERSION => %s)".formatted(version)));
    assertFails(
        Status.Code.PERMISSION_DENIED,
        () ->
            client.update(
                "CREATE TEMP TABLE x AS FROM planted AT (VERSION => %s)".formatted(version)));
  }

  /** With Postgres and S3 below it, where each of them could reach something. */
  @Test
  void bypassesAreRefusedHereToo() {
    Bypasses.all()
        .map(
            sql ->
                sql.replace("%FILE%", canary.toString())
                    .replace("%DATA%", "s3://%s/data/".formatted(lake))
                    .replace("%HOST%", "127.0.0.1:" + trap.port()))
        .forEach(
            sql -> {
              assertFails(Status.Code.PERMISSION_DENIED, () -> client.info(sql));
              assertFails(Status.Code.PERMISSION_DENIED, () -> client.update(sql));
            });
  }
}
