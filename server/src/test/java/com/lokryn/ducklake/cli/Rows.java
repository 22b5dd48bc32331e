package com.lokryn.ducklake.cli;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.duckdb.DuckDBResultSet;

/** Prints what DuckDB itself exports, so that the tests see the vectors that a server sends. */
final class Rows {
  @FunctionalInterface
  interface Printer {
    ResultPrinter on(Writer out) throws IOException;
  }

  private Rows() {}

  static String print(String sql, Printer printer) {
    var out = new StringWriter();
    try (var allocator = new RootAllocator();
        var connection = DriverManager.getConnection("jdbc:duckdb:");
        var statement = connection.createStatement()) {
      statement.execute("SET TimeZone = 'UTC'");
      try (var result = (DuckDBResultSet) statement.executeQuery(sql);
          var reader = (ArrowReader) result.arrowExportStream(allocator, 2_048)) {
        ResultPrinter to = printer.on(out);
        boolean more = reader.loadNextBatch();
        to.start(reader.getVectorSchemaRoot(), reader);
        while (more) {
          to.batch(reader.getVectorSchemaRoot(), reader);
          more = reader.loadNextBatch();
        }
        to.end();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (SQLException e) {
      throw new IllegalArgumentException(e);
    }
    return out.toString();
  }
}
