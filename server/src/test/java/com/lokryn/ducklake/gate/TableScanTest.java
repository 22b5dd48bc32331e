package com.lokryn.ducklake.gate;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which texts are read as those of the rows of one table, and what is put in its place. */
class TableScanTest {
  private static final Namespace MAIN = new Namespace("lake", "main");
  private static final String QUERY = "SELECT * FROM x";

  private static Optional<TableScan> scan(String sql) throws EngineException {
    return TableScan.of(sql, MAIN);
  }

  private static String over(String sql) throws EngineException {
    return scan(sql).orElseThrow().over(QUERY).orElseThrow();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          SELECT a FROM t                     | SELECT a FROM (SELECT * FROM x) AS "t"
          from T where 'ü' <> v               | from (SELECT * FROM x) AS "T" where 'ü' <> v
          SELECT 'ü', a FROM s . "T ""1" q(a) | SELECT 'ü', a FROM (SELECT * FROM x) q(a)
          SELECT t FROM/* t */t--t            | SELECT t FROM/* t */(SELECT * FROM x) AS "t"--t
          FROM q : lake.s.t                   | FROM q : (SELECT * FROM x)
          SELECT ' FROM t ' AS "t" FROM t;    | SELECT ' FROM t ' AS "t" FROM (SELECT * FROM x) AS "t";
          """)
  void theTableIsReplaced(String sql, String replaced) throws EngineException {
    assertThat(over(sql)).isEqualTo(replaced);
  }

  @ParameterizedTest
  @CsvSource({
    "FROM t, main, t",
    "FROM S.T, s, t",
    "FROM lake.\"S x\".t, s x, t",
    "FROM \"a.b\", main, a.b",
  })
  void theTableIsQualified(String sql, String schema, String table) throws EngineException {
    TableScan scan = scan(sql).orElseThrow();
    assertThat(scan.schema()).isEqualTo(schema);
    assertThat(scan.table()).isEqualTo(table);
    assertThat(scan.qualifiedTable()).isEqualTo("\"lake\".\"%s\".\"%s\"".formatted(schema, table));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "FROM temp.t",
        "FROM lake.t",
        "FROM memory.main.t",
        "FROM t, u",
        "FROM t t1 JOIN t t2 USING (a)",
        "FROM (FROM t)",
        "FROM range(3)",
        "FROM 't'",
        "SELECT (SELECT 1) FROM t",
        "SELECT a FROM t WHERE a IN (FROM u)",
        "SELECT DISTINCT a FROM t",
        "SELECT DISTINCT ON (a) a FROM t",
        "SELECT a FROM t GROUP BY a",
        "SELECT a FROM t GROUP BY ALL",
        "SELECT a FROM t HAVING true",
        "SELECT a FROM t QUALIFY true",
        "SELECT sum(a) OVER () FROM t",
        "SELECT count(DISTINCT a) FROM t",
        "SELECT sum(a) FILTER (a > 1) FROM t",
        "SELECT first(a ORDER BY a) FROM t",
        "SELECT a FROM t ORDER BY a",
        "SELECT a FROM t LIMIT 1",
        "SELECT a FROM t OFFSET 1",
        "SELECT a FROM t USING SAMPLE 1",
        "SELECT a FROM t TABLESAMPLE 1%",
        "SELECT a FROM t AT (VERSION => 1)",
        "SELECT a FROM t UNION ALL FROM t",
        "WITH c AS (SELECT 1) SELECT a FROM t",
        "SELECT a FROM t WHERE a = ?",
        "SELECT a FROM t WHERE a = $name",
        "SELECT a AS b FROM t WHERE FILENAME = 'x'",
        "SELECT t.rowid FROM t",
        "SELECT main.t.a FROM t",
        "SELECT lake.main.t.a FROM t",
        "SELECT 1",
        "SELECT a FROM",
        "SELECT 1; FROM t",
        "INSERT INTO t SELECT a FROM t",
        "EXPLAIN FROM t",
        "DESCRIBE t",
        "SUMMARIZE t",
      })
  void othersAreNone(String sql) throws EngineException {
    assertThat(scan(sql).flatMap(scan -> replaced(scan))).isEmpty();
  }

  private static Optional<String> replaced(TableScan scan) {
    try {
      return scan.over(QUERY);
    } catch (EngineException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whatNamesMeanElsewhereIsNotGuessed() throws EngineException {
    assertThat(TableScan.of("FROM t", new Namespace("temp", "main"))).isEmpty();
    assertThat(TableScan.of("FROM s.t", new Namespace("temp", "main"))).isEmpty();
    assertThat(TableScan.of("FROM lake.s.t", new Namespace("temp", "main"))).isPresent();
    assertThat(TableScan.of("FROM t", new Namespace("lake", "S")).orElseThrow().schema())
        .isEqualTo("s");
  }

  /** Where something else than the table would be replaced, the parse is another one. */
  @Test
  void aTextThatIsReadInAnotherWayIsNone() throws EngineException {
    assertThat(scan("TABLE t").orElseThrow().over(QUERY)).isEmpty();
    TableScan scan = scan("SELECT a FROM t").orElseThrow();
    assertThat(scan.over("SELECT * FROM x) AS y, (FROM x")).isEmpty();
    assertThat(scan.over("SELECT * FROM x -- ")).isEmpty();
  }
}
