package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.testing.LocalServer;
import com.lokryn.ducklake.testing.TestingClient;
import io.grpc.Status;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** DuckDB's and DuckLake's language over the wire. */
class LanguageIT {
  @RegisterExtension static final LocalServer server = new LocalServer();

  private TestingClient client;

  @BeforeAll
  static void fill() throws Exception {
    try (TestingClient first = server.connect()) {
      first.update("CREATE TABLE sold (year INT, city VARCHAR, n INT)");
      first.update(
          "INSERT INTO sold VALUES (2024, 'Basel', 1), (2024, 'Bern', 2), (2025, 'Basel', 4)");
      first.update("CREATE TABLE kept AS SELECT i, i * 2 AS twice FROM range(1000) r(i)");
    }
  }

  @BeforeEach
  void connect() throws Exception {
    client = server.connect();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "EXPLAIN SELECT sum(n) FROM sold",
        "EXPLAIN ANALYZE SELECT sum(n) FROM sold",
        "DESCRIBE sold",
        "DESCRIBE SELECT 1 AS a",
        "SHOW TABLES",
        "SHOW ALL TABLES",
        "SHOW sold",
        "SUMMARIZE sold",
        "SUMMARIZE SELECT * FROM sold",
        "PIVOT sold ON year USING sum(n)",
        "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b",
        "FROM sold",
        "FROM sold SELECT city WHERE n > 1",
        "VALUES (1, 'a'), (2, 'b')",
        "TABLE sold",
        "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 9) FROM r",
        "SELECT * FROM sold QUALIFY row_number() OVER (PARTITION BY city ORDER BY n DESC) = 1",
        "SELECT COLUMNS('n|y') FROM sold",
        "SELECT * EXCLUDE (n) FROM sold",
        "SELECT * FROM sold ASOF JOIN (SELECT 2023 AS year) y USING (year)",
        "SELECT list_transform([1, 2], x -> x + 1)",
        "FROM lake.snapshots()",
        "FROM ducklake_snapshots('lake')",
        "FROM ducklake_table_info('lake')",
        "FROM lake.table_changes('sold', 0, 3)",
        "FROM lake.table_insertions('sold', 0, 3)",
        "FROM ducklake_list_files('lake', 'kept')",
        "FROM ducklake_options('lake')",
        "CALL lake.snapshots()",
        "PRAGMA table_info('sold')",
        "PRAGMA version",
      })
  void givesRows(String sql) throws Exception {
    assertThat(client.rows(sql)).describedAs(sql).isNotEmpty();
    try (var prepared = client.sql().prepare(sql)) {
      assertThat(prepared.getResultSetSchema().getFields()).describedAs(sql).isNotEmpty();
    }
  }

  @Test
  void timeTravels() throws Exception {
    client.update("CREATE OR REPLACE TABLE aged AS SELECT 1 AS i");
    Object version = client.value("SELECT max(snapshot_id) FROM lake.snapshots()");
    Object time = client.value("SELECT max(snapshot_time)::VARCHAR FROM lake.snapshots()");
    client.update("UPDATE aged SET i = 2");
    assertThat(client.value("SELECT i FROM aged AT (VERSION => %s)".formatted(version)))
        .isEqualTo(1);
    assertThat(
            client.value("SELECT i FROM aged AT (TIMESTAMP => TIMESTAMPTZ '%s')".formatted(time)))
        .isEqualTo(1);
    assertThat(client.value("SELECT i FROM aged")).isEqualTo(2);
  }

  @Test
  void mergesRows() throws Exception {
    client.update("CREATE OR REPLACE TABLE target AS SELECT 1 AS id, 'old' AS s");
    client.update(
        "MERGE INTO target USING (VALUES (1, 'new'), (2, 'two')) AS source(id, s) USING (id)"
            + " WHEN MATCHED THEN UPDATE SET s = source.s"
            + " WHEN NOT MATCHED THEN INSERT VALUES (source.id, source.s)");
    assertThat(client.rows("SELECT id, s FROM target ORDER BY id"))
        .isEqualTo(List.of(List.of(1, "new"), List.of(2, "two")));
  }

  @Test
  void makesMacrosViewsAndTemporaryTables() throws Exception {
    client.update("CREATE OR REPLACE MACRO lake.main.twice_of(x) AS x * 2");
    assertThat(client.value("SELECT twice_of(21)")).isEqualTo(42);
    client.update("CREATE OR REPLACE VIEW seen AS SELECT sum(n)::INT AS n FROM sold");
    assertThat(client.value("SELECT n FROM seen")).isEqualTo(7);
    client.update("CREATE TEMP TABLE mine AS SELECT 5 AS i");
    client.update("CREATE TEMP MACRO plus_one(x) AS x + 1");
    assertThat(client.value("SELECT plus_one(i) FROM mine")).isEqualTo(6);
  }

  @Test
  void makesATableOfAPivot() throws Exception {
    client.update("CREATE OR REPLACE TABLE pivoted AS PIVOT sold ON n USING count(*)");
    assertThat(client.value("SELECT count(*) FROM pivoted")).isNotNull();
    assertThat(client.value("SELECT count(*) FROM sold")).isEqualTo(3L);
  }

  @Test
  void changesTables() throws Exception {
    client.update("CREATE OR REPLACE TABLE changed (i INT, s VARCHAR)");
    client.update("ALTER TABLE changed ADD COLUMN d DOUBLE DEFAULT 1.5");
    client.update("ALTER TABLE changed RENAME COLUMN s TO t");
    client.update("ALTER TABLE changed ALTER COLUMN i TYPE BIGINT");
    client.update("ALTER TABLE changed SET PARTITIONED BY (i)");
    client.update("COMMENT ON TABLE changed IS 'a comment'");
    client.update("INSERT INTO changed (i, t) VALUES (1, 'a'), (2, 'b')");
    assertThat(client.rows("SELECT i, t, d FROM changed ORDER BY i"))
        .isEqualTo(List.of(List.of(1L, "a", 1.5), List.of(2L, "b", 1.5)));
    client.update("CALL lake.set_option('parquet_compression', 'zstd', table_name => 'changed')");
    client.update("TRUNCATE changed");
    assertThat(client.value("SELECT count(*) FROM changed")).isEqualTo(0L);
    client.update("DROP TABLE changed");
    assertFails(Status.Code.NOT_FOUND, () -> client.value("SELECT 1 FROM changed"));
  }

  /** Into the lake's own place only: elsewhere there is nothing that the server could reach. */
  @Test
  void copiesToFilesOfTheLake() throws Exception {
    Path target = server.directory().resolve("data/exports");
    assertThat(
            client.update(
                "COPY (SELECT i, i %% 2 AS half FROM range(10) r(i)) TO '%s' (FORMAT parquet, PARTITION_BY (half))"
                    .formatted(target)))
        .isEqualTo(10);
    assertThat(
            client.value(
                "SELECT sum(i)::INT FROM read_parquet('%s/*/*.parquet')".formatted(target)))
        .isEqualTo(45);
    client.update("COPY sold TO '%s/sold.csv'".formatted(target));
    assertThat(client.value("SELECT sum(n)::INT FROM '%s/sold.csv'".formatted(target)))
        .isEqualTo(7);
    Path outside = server.directory().resolveSibling("outside.csv");
    assertFails(
        Status.Code.PERMISSION_DENIED, () -> client.update("COPY sold TO '%s'".formatted(outside)));
    assertThat(outside).doesNotExist();
  }

  @Test
  void keepsALakeInOrder() throws Exception {
    client.update("CREATE OR REPLACE TABLE small AS SELECT i FROM range(100) r(i)");
    client.update("INSERT INTO small SELECT i FROM range(100) r(i)");
    client.update("CALL ducklake_merge_adjacent_files('lake')");
    client.update("CALL ducklake_rewrite_data_files('lake', 'small')");
    client.update("CALL ducklake_flush_inlined_data('lake')");
    client.update("CALL ducklake_expire_snapshots('lake', older_than => now() - INTERVAL 1 DAY)");
    client.update("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)");
    assertThat(client.value("SELECT count(*) FROM small")).isEqualTo(200L);
  }
}
