package com.lokryn.ducklake.gate;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.engine.StatementParser;
import com.lokryn.ducklake.gate.Functions.Space;
import com.lokryn.ducklake.testing.TestingLakeServer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The list of functions against those that the engine has with all its extensions. */
class FunctionsIT {
  private static Connection connection;

  @BeforeAll
  static void load() throws Exception {
    connection = DriverManager.getConnection("jdbc:duckdb:");
    try (var statement = connection.createStatement()) {
      for (String extension : List.of("ducklake", "postgres_scanner", "httpfs")) {
        statement.execute(TestingLakeServer.extensions().load(extension));
      }
    }
  }

  @AfterAll
  static void close() throws Exception {
    connection.close();
  }

  private static List<List<String>> rows(String sql) throws Exception {
    var found = new ArrayList<List<String>>();
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        found.add(List.of(rows.getString(1), rows.getString(2)));
      }
    }
    return found;
  }

  @Test
  void nothingOfTheEngineIsUnknown() throws Exception {
    var unknown = new TreeSet<String>();
    for (List<String> row :
        rows(
            "SELECT DISTINCT function_type, lower(function_name) FROM duckdb_functions()"
                + " WHERE function_type <> 'pragma' UNION ALL"
                + " SELECT DISTINCT 'view', lower(view_name) FROM duckdb_views() WHERE internal")) {
      Space space =
          switch (row.getFirst()) {
            case "table", "table_macro" -> Space.TABLE;
            case "view" -> Space.VIEW;
            default -> Space.SCALAR;
          };
      if (Functions.use(space, row.get(1)).isEmpty()) {
        unknown.add(space + " " + row.get(1));
      }
    }
    assertThat(unknown).isEmpty();
  }

  /** What DuckDB itself calls volatile, or the same within one query only. */
  @Test
  void whatVariesIsKnown() throws Exception {
    assertThat(
            rows(
                "SELECT DISTINCT function_type, lower(function_name) FROM duckdb_functions()"
                    + " WHERE stability <> 'CONSISTENT'"
                    + " OR function_type = 'macro' AND macro_definition SIMILAR TO"
                    + " '.*(current_|now\\(|random|duckdb_).*'"))
        .isNotEmpty()
        .allMatch(row -> Functions.isVolatile(row.get(1)));
  }

  /** Every name that means something without parentheses, where there is no column. */
  @Test
  void wordsThatCallAreKnown() throws Exception {
    var words = new TreeSet<String>();
    for (List<String> row :
        rows(
            "SELECT DISTINCT '', word FROM (SELECT lower(function_name) AS word"
                + " FROM duckdb_functions() UNION ALL SELECT keyword_name FROM duckdb_keywords()"
                + " UNION ALL SELECT unnest(['current_role', 'localtime', 'localtimestamp']))"
                + " WHERE regexp_full_match(word, '[a-z_0-9]+')")) {
      String word = row.get(1);
      if (StatementParser.json("SELECT " + word).contains("\"COLUMN_REF\"") && isCall(word)) {
        words.add(word);
      }
    }
    assertThat(words).contains("current_date", "user").allMatch(Functions::isVolatileWord);
  }

  private static boolean isCall(String word) {
    try (var statement = connection.createStatement();
        var _ = statement.executeQuery("SELECT " + word)) {
      return true;
    } catch (SQLException e) {
      return false;
    }
  }
}
