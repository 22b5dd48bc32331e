package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingUsers;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flight.FlightStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Users whose role is narrowed to some tables, by whatever name they come to the others. */
class GrantsIT {
  private static TestingLakeServer server;

  private TestingClient nara;

  @BeforeAll
  static void start() throws Exception {
    String narrowed =
        TestingUsers.user(
            "nara",
            "writer",
            "{\"main.open\": \"select\", \"main.mine\": \"all\", \"own.*\": \"all\"}");
    server =
        TestingLakeServer.start(
            Map.of(
                "flight_users",
                "[%s, %s]".formatted(TestingUsers.user("root", "admin"), narrowed)));
    try (TestingClient root = as("root")) {
      for (String sql :
          List.of(
              "CREATE TABLE open AS SELECT 1 AS i",
              "CREATE TABLE secret AS SELECT 42 AS i",
              "CREATE TABLE bank AS SELECT 42 AS i",
              "CREATE TABLE mine (i INT)",
              "CREATE SCHEMA own",
              "CREATE SCHEMA other",
              "CREATE TABLE other.open AS SELECT 43 AS i",
              "CREATE VIEW open_view AS FROM open",
              "CREATE VIEW peek AS FROM secret",
              "CREATE VIEW peek_again AS SELECT i FROM peek",
              "CREATE VIEW other.peek AS FROM other.open",
              "CREATE MACRO reveal() AS (SELECT max(i) FROM secret)",
              "CREATE MACRO reveal_all() AS TABLE FROM secret")) {
        root.update(sql);
      }
    }
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  private static TestingClient as(String user) {
    return TestingClient.of(server.port(), user, TestingUsers.PASSWORD);
  }

  @BeforeEach
  void connect() {
    nara = as("nara");
  }

  @AfterEach
  void disconnect() throws Exception {
    nara.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "FROM secret",
        "FROM lake.secret",
        "FROM main.secret",
        "FROM lake.main.\"SECRET\"",
        "FROM secret AT (VERSION => 2)",
        "FROM other.open",
        "SELECT o.i FROM open o, secret",
        "SELECT (SELECT max(i) FROM secret)",
        "SELECT 1 WHERE EXISTS (FROM secret)",
        "SELECT i FROM open UNION ALL FROM secret",
        "WITH x AS (FROM secret) FROM x",
        "WITH secret AS (FROM secret) FROM secret",
        "WITH x AS (WITH secret AS (SELECT 1) FROM secret) SELECT * FROM x, secret",
        "WITH RECURSIVE r AS (FROM secret UNION ALL SELECT i FROM r WHERE false) FROM r",
        "SELECT * FROM open ORDER BY (SELECT max(i) FROM secret)",
        "SELECT i FROM open GROUP BY i HAVING i < (SELECT max(i) FROM secret)",
        "FROM open, LATERAL (FROM secret)",
        "FROM peek",
        "FROM peek_again",
        "FROM other.peek",
        "SELECT reveal()",
        "FROM reveal_all()",
        "SELECT reveal() FROM open",
        "DESCRIBE secret",
        "SUMMARIZE secret",
        "DESCRIBE FROM secret",
        "EXPLAIN FROM secret",
        "EXPLAIN ANALYZE FROM secret",
        "PIVOT secret ON i USING count(*)",
        "PIVOT (FROM secret) ON i USING count(*)",
        "UNPIVOT secret ON i",
        "CREATE TEMP TABLE x AS FROM secret",
        "CREATE TEMP VIEW x AS FROM secret",
        "CREATE TEMP MACRO x() AS TABLE FROM secret",
        "CREATE TEMP MACRO x() AS (SELECT max(i) FROM secret)",
        "CREATE TABLE own.x AS FROM secret",
        "CREATE VIEW own.x AS FROM secret",
        "PREPARE p AS FROM secret",
        "SET VARIABLE v = (SELECT max(i) FROM secret)",
        "INSERT INTO mine FROM secret",
        "INSERT INTO mine FROM peek",
        "INSERT INTO mine VALUES ((SELECT max(i) FROM secret))",
        "INSERT INTO secret VALUES (1)",
        "INSERT INTO open VALUES (1)",
        "UPDATE mine SET i = s.i FROM secret s",
        "UPDATE mine SET i = (SELECT max(i) FROM secret)",
        "UPDATE mine SET i = reveal()",
        "UPDATE mine SET i = 1 WHERE secret",
        "DELETE FROM mine WHERE i = secret.i",
        "UPDATE open SET i = 1",
        "DELETE FROM mine USING secret s WHERE s.i = 42",
        "DELETE FROM mine WHERE i IN (SELECT i FROM secret)",
        "DELETE FROM open",
        "TRUNCATE secret",
        "MERGE INTO mine USING secret s ON true WHEN NOT MATCHED THEN INSERT VALUES (s.i)",
        "MERGE INTO open USING mine ON true WHEN MATCHED THEN DELETE",
        "CREATE TABLE another (i INT)",
        "CREATE OR REPLACE TABLE secret AS SELECT 1 AS i",
        "CREATE SCHEMA another",
        "DROP TABLE secret",
        "DROP TABLE mine, secret",
        "DROP SCHEMA other CASCADE",
        "ALTER TABLE secret RENAME TO mine2",
        "COMMENT ON TABLE secret IS 'x'",
        "CREATE MACRO own.x() AS 1",
        "FROM information_schema.tables",
        "FROM duckdb_columns()",
        "SHOW TABLES",
        "FROM lake.table_changes('secret', 0, 9)",
        "FROM ducklake_table_insertions('lake', 'main', 'secret', 0, 9)",
        "FROM lake.snapshots()",
        "COPY secret TO '/x'",
        "UPDATE mine SET i = 1 FROM open o JOIN open p ON o.i = p.i, secret s",
        "DELETE FROM mine USING open o ASOF JOIN open p ON o.i >= p.i, secret s",
        "UPDATE mine SET i = 1 FROM open o JOIN open p ON CASE WHEN true THEN true END, secret s",
        "UPDATE mine SET i = 1 FROM open o JOIN open p ON {where: true}.where, secret s",
        "UPDATE mine SET i = 1 FROM open o JOIN (SELECT {'on': true} s) p ON (p.s).where, secret",
        "UPDATE mine SET i = 1 FROM open AS values, secret s",
        "UPDATE mine SET i = 1 FROM open set, secret s",
        "UPDATE mine SET i = 1 FROM VALUES (1) v(i), secret s",
        "UPDATE mine SET i = 1 FROM set: secret",
        "DELETE FROM mine WHERE i IN (SELECT i FROM open UNION ALL TABLE secret)",
        "DELETE FROM mine WHERE i IN (WITH y AS (SELECT 1) TABLE secret)",
        "CREATE TEMP MACRO x() AS TABLE TABLE secret",
        "CREATE TEMP MACRO x() AS TABLE DESCRIBE secret",
        "SET VARIABLE v = (SELECT max(i) FROM open UNION TABLE secret)",
        "UPDATE mine SET i = 1 FROM\u00A0secret",
        "WITH \"ban\u212A\" AS (SELECT 1) FROM bank",
        "DELETE FROM ONLY main.secret",
        "TRUNCATE ONLY secret",
      })
  void whatIsNotGrantedIsRefused(String sql) throws Exception {
    assertFails(Status.Code.PERMISSION_DENIED, () -> nara.info(sql)).doesNotContain("42");
    assertFails(Status.Code.PERMISSION_DENIED, () -> nara.update(sql));
    assertFails(Status.Code.PERMISSION_DENIED, () -> nara.sql().prepare(sql));
    nara.update("BEGIN");
    assertFails(Status.Code.PERMISSION_DENIED, () -> nara.update(sql));
    nara.update("ROLLBACK");
    try (TestingClient root = as("root")) {
      assertThat(root.value("SELECT i FROM secret")).isEqualTo(42);
      assertThat(root.value("SELECT count(*) FROM mine")).isEqualTo(0L);
    }
  }

  @Test
  void whatIsGrantedCanBeUsed() throws Exception {
    assertThat(nara.value("SELECT i FROM open")).isEqualTo(1);
    assertThat(nara.value("SELECT i FROM open_view")).isEqualTo(1);
    assertThat(nara.value("WITH x AS (FROM open) SELECT max(x.i) + 1 FROM lake.main.open, x"))
        .isEqualTo(2);
    assertThat(nara.update("INSERT INTO mine FROM open")).isEqualTo(1);
    assertThat(nara.update("UPDATE mine SET i = i + 1")).isEqualTo(1);
    assertThat(nara.update("DELETE FROM mine WHERE i IN (SELECT i + 1 FROM open)")).isEqualTo(1);
    nara.update("UPDATE mine SET i = o.i FROM open o JOIN open p USING (i) WHERE mine.i = o.i");
    nara.update("MERGE INTO mine USING open USING (i) WHEN MATCHED THEN UPDATE SET i = open.i");
    nara.update(
        "UPDATE mine SET i = 1 WHERE i IS DISTINCT FROM i AND extract(year FROM now()) > 1");
    nara.info("PIVOT open JOIN open p USING (i) ON i USING count(*)");
    nara.update("CREATE TABLE own.made AS FROM open");
    nara.update("CREATE VIEW own.shown AS FROM own.made");
    assertThat(nara.value("SELECT i FROM own.shown")).isEqualTo(1);
    nara.update("CREATE TEMP TABLE x AS FROM own.shown");
    assertThat(nara.value("SELECT i FROM temp.x")).isEqualTo(1);
    nara.update("DROP VIEW own.shown");
    nara.update("DROP TABLE own.made");
    nara.update("USE lake.own");
    assertFails(Status.Code.PERMISSION_DENIED, () -> nara.info("FROM main.secret"));
    assertThat(nara.value("SELECT i FROM main.open")).isEqualTo(1);
    nara.update("USE lake.main");
  }

  /** A view that is replaced is looked at again, prepared or not. */
  @Test
  void whatAViewReadsIsLookedAtEachTime() throws Exception {
    try (TestingClient root = as("root")) {
      root.update("CREATE OR REPLACE VIEW changing AS FROM open");
      try (var prepared = nara.sql().prepare("SELECT i FROM changing")) {
        try (FlightStream stream = nara.stream(prepared.execute())) {
          assertThat(TestingClient.rows(stream)).isEqualTo(List.of(List.of(1)));
        }
        root.update("CREATE OR REPLACE VIEW changing AS FROM secret");
        assertFails(Status.Code.PERMISSION_DENIED, prepared::execute);
      }
      root.update("DROP VIEW changing");
    }
  }

  /** By another name, or behind one that failed, it reads what is meant when it is used. */
  @Test
  void whatASessionMadeIsLookedAtByAllItsNames() throws Exception {
    nara.update("USE own");
    nara.update("CREATE TABLE own.secret AS SELECT 7 AS i");
    nara.update("CREATE TEMP VIEW seen AS FROM secret");
    nara.update("ALTER VIEW temp.seen RENAME TO renamed");
    assertThat(nara.value("FROM temp.renamed")).isEqualTo(7);
    nara.update("PREPARE p AS FROM secret");
    assertFails(Status.Code.INVALID_ARGUMENT, () -> nara.update("PREPARE p AS SELECT nix"));
    nara.update("DROP TABLE own.secret");
    nara.update("USE lake.main");
    assertFails(Status.Code.PERMISSION_DENIED, () -> nara.info("FROM temp.renamed"));
    assertFails(Status.Code.PERMISSION_DENIED, () -> nara.info("EXECUTE p"));
  }

  @Test
  void metadataShowsWhatMayBeUsed() throws Exception {
    var tables = new ArrayList<Object>();
    try (FlightStream stream = nara.stream(nara.sql().getTables(null, null, null, null, true))) {
      TestingClient.rows(stream).forEach(row -> tables.add(row.get(1) + "." + row.get(2)));
    }
    assertThat(tables)
        .contains("main.open", "main.mine")
        .doesNotContain("main.secret", "other.open");
    try (FlightStream stream = nara.stream(nara.sql().getSchemas(null, null))) {
      assertThat(TestingClient.rows(stream).stream().map(row -> row.get(1)))
          .contains("main", "own")
          .doesNotContain("other");
    }
  }
}
