package com.lokryn.ducklake.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.lokryn.ducklake.access.Grants;
import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the text of a statement alone tells. */
class GateTest {
  private static final Gate GATE = new Gate("/lake/data/exports/");
  private static final Namespace MAIN = new Namespace("lake", "main");
  private static final Identity ADMIN = new Identity("root", Role.ADMIN);

  /** May read one table, and write to another. */
  private static final Identity NARROWED =
      new Identity(
          "nara",
          Role.WRITER,
          Optional.of(Grants.parse(Map.of("main.open", "select", "main.mine", "all"))));

  private static void admit(String sql, Identity identity) throws EngineException {
    GATE.requireAllowed(GATE.read(sql), identity, MAIN);
  }

  static Stream<String> bypasses() {
    return Bypasses.all()
        .map(
            sql ->
                sql.replace("%FILE%", "/etc/passwd")
                    .replace("%DATA%", "/lake/data/")
                    .replace("%HOST%", "127.0.0.1:1"));
  }

  @ParameterizedTest
  @MethodSource("bypasses")
  void nobodysBypassPasses(String sql) {
    assertThatExceptionOfType(Refusal.class)
        .describedAs(sql)
        .isThrownBy(() -> admit(sql, ADMIN))
        .satisfies(refusal -> assertThat(refusal.text()).isNotBlank());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT 1",
        "SELECT current_setting('integer_division')",
        "SELECT count(*), sum(a + b), list_transform(c, x -> x + 1) FROM t JOIN lake.main.u USING (i)",
        "SELECT * FROM t AT (VERSION => 3)",
        "SELECT 'read_csv(''/etc/passwd'')', \"current_setting\" FROM t -- read_text('x')",
        "SELECT memory.a, system.b FROM t AS memory, u AS system",
        "WITH read_text AS (SELECT 1) FROM read_text",
        "PIVOT t ON year USING sum(n)",
        "PIVOT t ON a IN ('x', 'y') USING sum(n), max(n) GROUP BY c ORDER BY c DESC, a",
        "UNPIVOT t ON a, b INTO NAME n VALUE v",
        "DESCRIBE t",
        "SHOW TABLES",
        "SHOW ALL TABLES",
        "SHOW TABLES FROM lake.main",
        "SUMMARIZE SELECT 1",
        "FROM information_schema.tables",
        "FROM duckdb_columns()",
        "FROM pg_catalog.pg_class",
        "FROM system.information_schema.tables",
        "FROM \"my schema\".\"a/b.c\", lake.main.\"x.csv\"",
        "CREATE TEMP MACRO x() AS TABLE WITH y AS (SELECT 1) FROM y",
        "UPDATE x SET a = E'it\\'s', b = 'c'\n'd', c = $$e$$ WHERE d = 'f\u00A0g'",
        "UPDATE\u00A0x SET a = 1",
        "CREATE TEMP TABLE x (i INT, variant VARCHAR, \"Variant\" INT DEFAULT 1)",
        "UPDATE x SET variant = upper(variant), a = coalesce(variant, b) WHERE variant IN ('a')",
        "SELECT variant AS v, p.variant FROM products p GROUP BY variant ORDER BY variant",
        "ALTER TABLE x RENAME COLUMN variant TO v",
        "FROM range(10), generate_series(1, 3), unnest([1, 2])",
        "FROM read_parquet('/lake/data/exports/a/*.parquet')",
        "FROM '/lake/data/exports/a.csv'",
        "FROM read_csv(['/lake/data/exports/a.csv', '/lake/data/exports/b.csv'], header = true)",
        "FROM lake.snapshots()",
        "FROM ducklake_table_changes('lake', 'main', 't', 0, 3)",
        "CALL lake.snapshots()",
        "PRAGMA table_info('t')",
        "PRAGMA version",
        "EXPLAIN ANALYZE SELECT sum(i) FROM t",
        "BEGIN",
        "COMMIT",
        "START TRANSACTION READ ONLY",
        "USE lake.s",
        "USE s",
        "SET integer_division = true",
        "SET VARIABLE v = 5",
        "RESET integer_division",
        "CREATE TEMP TABLE x AS SELECT * FROM t",
        "CREATE OR REPLACE TEMP VIEW x AS SELECT * FROM t",
        "CREATE TEMP MACRO plus(a, b) AS a + b",
        "CREATE TABLE temp.x (a INT, b DECIMAL(10, 2) DEFAULT 1.5)",
        "INSERT INTO x (a, b) VALUES (1, 'a/b.csv'), (2, 'http://x')",
        "UPDATE x SET a = CASE WHEN b > 1 THEN 2 END, path = '/etc/passwd' WHERE c IN ('x', 'y')",
        "DELETE FROM temp.x WHERE a = 1",
        "MERGE INTO x USING (VALUES (1)) AS s(id) USING (id) WHEN MATCHED THEN UPDATE SET a = 1",
        "DROP TABLE IF EXISTS temp.x",
        "PREPARE p AS SELECT * FROM t WHERE i = $1",
        "EXECUTE p(1)",
        "DEALLOCATE p",
        "ANALYZE",
      })
  void aReadersStatementsPass(String sql) {
    assertThatCode(() -> admit(sql, new Identity("ria", Role.READER)))
        .describedAs(sql)
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "INSERT INTO lake.main.t VALUES (1)|WRITER",
        "INSERT INTO main.t VALUES (1)|WRITER",
        "UPDATE lake.t SET i = 1|WRITER",
        "DELETE FROM s.t|WRITER",
        "TRUNCATE lake.main.t|WRITER",
        "MERGE INTO lake.t USING u ON true WHEN MATCHED THEN DELETE|WRITER",
        "CREATE TABLE t AS SELECT 1|WRITER",
        "CREATE OR REPLACE TABLE t (i INT)|WRITER",
        "CREATE VIEW v AS SELECT 1|WRITER",
        "CREATE MACRO m(a) AS a|WRITER",
        "CREATE SCHEMA s|WRITER",
        "DROP SCHEMA s CASCADE|WRITER",
        "DROP TABLE lake.main.t|WRITER",
        "ALTER TABLE main.t ADD COLUMN j INT|WRITER",
        "COMMENT ON TABLE main.t IS 'x'|WRITER",
        "COPY t TO '/lake/data/exports/t.csv'|WRITER",
        "COPY t FROM '/lake/data/exports/t.csv'|WRITER",
        "EXPLAIN ANALYZE INSERT INTO main.t VALUES (1)|WRITER",
        "WITH x AS (SELECT 1) INSERT INTO main.t FROM x|WRITER",
        "PREPARE p AS INSERT INTO main.t VALUES (1)|WRITER",
        "CALL lake.merge_adjacent_files()|ADMIN",
        "CALL ducklake_expire_snapshots('lake')|ADMIN",
        "FROM ducklake_cleanup_old_files('lake')|ADMIN",
        "FROM lake.delete_orphaned_files()|ADMIN",
        "CALL ducklake_add_data_files('lake', 't', 'x')|ADMIN",
        "FROM ducklake_list_files('lake', 't')|ADMIN",
        "CALL lake.set_option('a', 'b')|ADMIN",
        "CHECKPOINT lake|ADMIN",
        "VACUUM|ADMIN",
      })
  void otherStatementsTakeARole(String sql, Role role) throws Exception {
    admit(sql, new Identity("some", role));
    Role less = role == Role.ADMIN ? Role.WRITER : Role.READER;
    assertThatExceptionOfType(Refusal.class)
        .describedAs(sql)
        .isThrownBy(() -> admit(sql, new Identity("less", less)))
        .satisfies(refusal -> assertThat(refusal.text()).contains("the role " + role.text()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "INSERT INTO secret VALUES (1)",
        "INSERT INTO open VALUES (1)",
        "INSERT INTO lake.main.secret SELECT * FROM open",
        "UPDATE open SET i = 1",
        "DELETE FROM main.secret",
        "DROP TABLE open",
        "CREATE TABLE other (i INT)",
        "CREATE SCHEMA s",
        "DROP SCHEMA main CASCADE",
        "ALTER TABLE open ADD COLUMN j INT",
        "CREATE MACRO m() AS TABLE FROM open",
        "FROM information_schema.columns",
        "FROM duckdb_tables()",
        "SHOW TABLES",
        "FROM lake.table_changes('secret', 0, 3)",
        "FROM lake.snapshots()",
        "FROM '/lake/data/exports/a.csv'",
        "COPY open TO '/lake/data/exports/a.csv'",
        "PRAGMA table_info('open')",
      })
  void whatIsNotGrantedIsRefused(String sql) {
    assertThatExceptionOfType(Refusal.class)
        .describedAs(sql)
        .isThrownBy(() -> admit(sql, NARROWED));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "INSERT INTO mine SELECT * FROM open",
        "UPDATE lake.main.mine SET i = 1",
        "CREATE OR REPLACE TABLE mine AS SELECT 1 AS i",
        "DROP TABLE main.mine",
        "CREATE TEMP TABLE x AS FROM open",
        "INSERT INTO temp.x FROM open",
      })
  void whatIsGrantedPasses(String sql) {
    assertThatCode(() -> admit(sql, NARROWED)).describedAs(sql).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELEC 1",
        "INSERT INTO",
        "CREATE TABLE",
        "SELECT FROM WHERE",
        "COPY t",
        "UPDATE",
        "(((",
        "EXPLAIN"
      })
  void whatIsNoSqlIsToldSo(String sql) {
    assertThatExceptionOfType(EngineException.class)
        .describedAs(sql)
        .isThrownBy(() -> admit(sql, ADMIN))
        .satisfies(error -> assertThat(error.error()).isEqualTo(EngineError.SYNTAX));
  }

  @Test
  void anIngestTakesRoleAndGrants() {
    assertThatExceptionOfType(Refusal.class)
        .isThrownBy(
            () -> Gate.requireIngest(new Identity("ria", Role.READER), "lake", "main", "t", false));
    Gate.requireIngest(new Identity("ria", Role.READER), "temp", "main", "t", true);
    Gate.requireIngest(NARROWED, "lake", "main", "mine", true);
    assertThatExceptionOfType(Refusal.class)
        .isThrownBy(() -> Gate.requireIngest(NARROWED, "lake", "main", "open", false));
    for (String catalog : new String[] {"memory", "system", "__ducklake_metadata_lake", "other"}) {
      assertThatExceptionOfType(Refusal.class)
          .isThrownBy(() -> Gate.requireIngest(ADMIN, catalog, "main", "t", true));
    }
  }

  /** A parse of them would take gigabytes. */
  @Test
  void manyRowsPassAndAreReadThrough() throws Exception {
    String rows = "INSERT INTO t VALUES " + "(1, '/a/b', 2.5), ".repeat(500_000);
    admit(rows + "(1, '/a/b', 2.5)", ADMIN);
    for (String last :
        new String[] {
          "(1, (FROM read_text('/etc/passwd')), 2)",
          "(1, current_setting('s3_endpoint'), 2)",
          "(1, 'a', (TABLE __ducklake_metadata_lake.ducklake_tag))"
        }) {
      assertThatExceptionOfType(Refusal.class).isThrownBy(() -> admit(rows + last, ADMIN));
    }
  }

  @Test
  void deepTextsEndInAnAnswer() {
    for (String sql :
        new String[] {
          "SELECT " + "(".repeat(50_000) + "1" + ")".repeat(50_000),
          "SELECT " + "[".repeat(5_000) + "1" + "]".repeat(5_000),
          "SELECT " + "NOT ".repeat(20_000) + "true",
          "SELECT 1" + "+1".repeat(20_000),
          "SELECT 1" + " UNION ALL SELECT 1".repeat(3_000),
          "INSERT INTO t SELECT " + "(".repeat(5_000) + "1" + ")".repeat(5_000),
        }) {
      try {
        admit(sql, ADMIN);
      } catch (EngineException | Refusal e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }
}
