package com.lokryn.ducklake.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SqlTextTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "SELECT 1|1",
        "SELECT 1;|1",
        ";;|0",
        "-- nothing|0",
        "/* a; b */|0",
        "SELECT 1; SELECT 2|2",
        "SELECT ';'|1",
        "SELECT 'it''s;'|1",
        "SELECT E'\\';'; SELECT 2|2",
        "SELECT 'x\\'; SELECT 2|2",
        "SELECT \";\" FROM t|1",
        "SELECT $$;$$|1",
        "SELECT $a$;$$;$a$|1",
        "SELECT $1; SELECT 2|2",
        "SELECT 1 /* /* ; */ ; */|1",
        "SELECT 1 -- ; SELECT 2|1",
        "SELECT a.b$c; SELECT 2|2",
        "SELECT 1a$b$; DROP TABLE t; SELECT 2a$b$|3",
        "SELECT 0x1F; SELECT 1e5; SELECT 1_000|3",
      })
  void countsStatements(String sql, int statements) {
    assertThat(SqlText.of(sql).statements()).isEqualTo(statements);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CREATE TEMP TABLE t (i INT)",
        "create temporary view v as select 1",
        "CREATE OR REPLACE TEMP MACRO m() AS 1",
        "/* x */ Create Temp Table t AS SELECT 1",
        "CREATE TABLE temp.t (i INT)",
        "CREATE TABLE \"temp\".main.t (i INT)"
      })
  void knowsTemporaryObjects(String sql) {
    assertThat(SqlText.of(sql).isTemporaryObject()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CREATE TABLE temperature (i INT)",
        "SELECT 'create temp table'",
        "CREATE TABLE t AS SELECT temp FROM x",
        "INSERT INTO temp.t VALUES (1)"
      })
  void takesNothingElseForTemporary(String sql) {
    assertThat(SqlText.of(sql).isTemporaryObject()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT setseed(0.5)",
        "SELECT \"SETSEED\"(0.5)",
        "EXPLAIN ANALYZE SET VARIABLE x = 5",
        "EXPLAIN (ANALYZE) PREPARE p AS SELECT 1",
        "PIVOT t ON x",
        "SET VARIABLE x = 5"
      })
  void knowsWhatLeavesState(String sql) {
    assertThat(SqlText.of(sql).leavesNoState()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"SELECT 1", "EXPLAIN SELECT 1", "INSERT INTO t VALUES (1)", "SELECT * FROM temps"})
  void knowsWhatLeavesNone(String sql) {
    assertThat(SqlText.of(sql).leavesNoState()).isTrue();
  }

  @Test
  void countsTheBytesOfALongText() {
    String most = " ".repeat(SqlText.MAX_BYTES - 2);
    assertThat(SqlText.isTooLong(most + "\u00e9")).isFalse();
    assertThat(SqlText.isTooLong(most + "\u20ac")).isTrue();
    assertThat(SqlText.isTooLong("\uD83D\uDE00".repeat(SqlText.MAX_BYTES / 4))).isFalse();
    assertThat(SqlText.isTooLong("\uD83D\uDE00".repeat(SqlText.MAX_BYTES / 4) + "x")).isTrue();
  }

  @Test
  void knowsTransactions() {
    assertThat(SqlText.of(" begin transaction ").isBegin()).isTrue();
    assertThat(SqlText.of("START TRANSACTION").isBegin()).isTrue();
    assertThat(SqlText.of("start").isBegin()).isTrue();
    assertThat(SqlText.of("COMMIT;").isEnd()).isTrue();
    assertThat(SqlText.of("Rollback").isEnd()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "CALL ducklake_merge_adjacent_files('lake')",
        "SELECT * FROM lake.merge_adjacent_files()",
        "FROM ducklake_rewrite_data_files('lake')",
        "CALL \"lake\".\"Rewrite_Data_Files\"()"
      })
  void knowsCompactions(String sql) {
    assertThat(SqlText.of(sql).isCompaction()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT 'merge_adjacent_files'",
        "CALL ducklake_flush_inlined_data('lake')",
        "SELECT my_ducklake_merge_adjacent_files"
      })
  void knowsWhatIsNoCompaction(String sql) {
    assertThat(SqlText.of(sql).isCompaction()).isFalse();
  }

  /** What the text alone does not tell, DuckDB's parser does. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "SELECT 1|1",
        "SELECT ';'|1",
        "SELECT 1; -- done|1",
        "/* a; b */ SELECT 1;|1",
        "SELECT 1; SELECT 2|2",
        "SELECT 1a$b$; SELECT 2a$b$|2",
        "PIVOT (SELECT 1 AS a, 'x;' AS b) ON b USING sum(a)|1",
        "PIVOT (SELECT 1 AS a, 2 AS b) ON b USING sum(a);|1",
        "PIVOT (SELECT 1 AS a, 'x;' AS b) ON b USING sum(a); SELECT 1|2",
        "SELECT ';' FROM FROM|1",
        "PRAGMA show('a;b')|1",
        "IMPORT DATABASE '/etc'|1",
      })
  void countsStatementsWithTheParser(String sql, int statements) throws EngineException {
    assertThat(StatementCounter.count(SqlText.of(sql))).isEqualTo(statements);
  }

  /** Nothing is taken for one statement because the parser's own instance lacks something. */
  @ParameterizedTest
  @ValueSource(strings = {"PRAGMA unheard_of('a;b')", "IMPORT DATABASE '/tmp; /etc'"})
  void refusesWhatTheParserCannotCount(String sql) {
    assertThatThrownBy(() -> StatementCounter.count(SqlText.of(sql)))
        .isInstanceOf(EngineException.class);
  }

  /** Whatever DuckDB's parser takes for one statement, or for several, we do too. */
  @Test
  void agreesWithTheParserOnRandomTexts() throws SQLException {
    List<String> pieces =
        List.of(
            "SELECT 1",
            ";",
            " ",
            "'",
            "''",
            "\"",
            "--",
            "\n",
            "/*",
            "*/",
            "$$",
            "$a$",
            "E'",
            "\\",
            "AS x",
            "1",
            "a",
            "$b$",
            "SELECT 'a;b'",
            ",",
            "2",
            "$1",
            "\uFEFF");
    var random = new Random(4);
    int compared = 0;
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        PreparedStatement parse =
            connection.prepareStatement("SELECT json_serialize_sql(?::VARCHAR)")) {
      for (int i = 0; i < 20_000; i++) {
        StringBuilder sql = new StringBuilder();
        for (int n = random.nextInt(7); n >= 0; n--) {
          sql.append(pieces.get(random.nextInt(pieces.size())));
        }
        parse.setString(1, sql.toString());
        String parsed;
        try (ResultSet rows = parse.executeQuery()) {
          rows.next();
          parsed = rows.getString(1);
        }
        if (parsed.contains("\"error\":true")) {
          continue;
        }
        int statements = parsed.split("\"node\":", -1).length - 1;
        assertThat(SqlText.of(sql.toString()).statements()).as("<%s>", sql).isEqualTo(statements);
        compared++;
      }
    }
    assertThat(compared).isGreaterThan(500);
  }
}
