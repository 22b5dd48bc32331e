package com.lokryn.ducklake.engine;

import static org.assertj.core.api.Assertions.assertThat;

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

  @Test
  void knowsTransactions() {
    assertThat(SqlText.of(" begin transaction ").isBegin()).isTrue();
    assertThat(SqlText.of("START TRANSACTION").isBegin()).isTrue();
    assertThat(SqlText.of("start").isBegin()).isFalse();
    assertThat(SqlText.of("COMMIT;").isEnd()).isTrue();
    assertThat(SqlText.of("Rollback").isEnd()).isTrue();
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
