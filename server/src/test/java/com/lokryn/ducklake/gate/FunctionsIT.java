package com.lokryn.ducklake.gate;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.gate.Functions.Space;
import com.lokryn.ducklake.testing.TestingLakeServer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The list of functions against those that the engine has with all its extensions. */
class FunctionsIT {
  @Test
  void nothingOfTheEngineIsUnknown() throws Exception {
    var unknown = new TreeSet<String>();
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        var statement = connection.createStatement()) {
      for (String extension : List.of("ducklake", "postgres_scanner", "httpfs")) {
        statement.execute(TestingLakeServer.extensions().load(extension));
      }
      try (var rows =
          statement.executeQuery(
              "SELECT DISTINCT function_type, lower(function_name) FROM duckdb_functions()"
                  + " WHERE function_type <> 'pragma' UNION ALL"
                  + " SELECT DISTINCT 'view', lower(view_name) FROM duckdb_views() WHERE internal")) {
        while (rows.next()) {
          Space space =
              switch (rows.getString(1)) {
                case "table", "table_macro" -> Space.TABLE;
                case "view" -> Space.VIEW;
                default -> Space.SCALAR;
              };
          if (Functions.use(space, rows.getString(2)).isEmpty()) {
            unknown.add(space + " " + rows.getString(2));
          }
        }
      }
    }
    assertThat(unknown).isEmpty();
  }

  /** What DuckDB itself calls volatile, or the same within one query only. */
  @Test
  void whatVariesIsKnown() throws Exception {
    var unknown = new TreeSet<String>();
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
        var statement = connection.createStatement()) {
      for (String extension : List.of("ducklake", "postgres_scanner", "httpfs")) {
        statement.execute(TestingLakeServer.extensions().load(extension));
      }
      try (var rows =
          statement.executeQuery(
              "SELECT DISTINCT lower(function_name) FROM duckdb_functions()"
                  + " WHERE stability <> 'CONSISTENT'"
                  + " OR function_type = 'macro' AND macro_definition SIMILAR TO"
                  + " '.*(current_|now\\(|random|duckdb_).*'")) {
        while (rows.next()) {
          if (!Functions.isVolatile(rows.getString(1))) {
            unknown.add(rows.getString(1));
          }
        }
      }
    }
    assertThat(unknown).isEmpty();
  }
}
