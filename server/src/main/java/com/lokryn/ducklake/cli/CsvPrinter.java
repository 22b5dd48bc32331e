package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.ResultSink;
import com.lokryn.ducklake.client.Values;
import java.io.PrintStream;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.Field;
import org.jspecify.annotations.Nullable;

/** Prints a result as CSV (RFC 4180); NULL is an empty field, an empty text a quoted one. */
final class CsvPrinter implements ResultSink {
  private static final String LINE_END = "\r\n";

  private final PrintStream out;
  private boolean headed;

  CsvPrinter(PrintStream out) {
    this.out = out;
  }

  @Override
  public void batch(VectorSchemaRoot batch, DictionaryProvider dictionaries) {
    head(batch);
    var lines = new StringBuilder();
    for (int row = 0; row < batch.getRowCount(); row++) {
      String separator = "";
      for (var vector : batch.getFieldVectors()) {
        lines.append(separator).append(field(Values.of(vector, row, dictionaries)));
        separator = ",";
      }
      lines.append(LINE_END);
    }
    out.print(lines);
  }

  @Override
  public void end(VectorSchemaRoot root) {
    head(root);
    headed = false;
  }

  @Override
  public void changed(long rows) {
    // A change has no rows to print.
  }

  private void head(VectorSchemaRoot root) {
    if (headed) {
      return;
    }
    headed = true;
    String separator = "";
    for (Field field : root.getSchema().getFields()) {
      out.print(separator);
      out.print(field(field.getName()));
      separator = ",";
    }
    out.print(LINE_END);
  }

  private static String field(@Nullable Object value) {
    if (value == null) {
      return "";
    }
    String text = CellText.of(value);
    boolean quoted =
        text.isEmpty()
            || text.indexOf(',') >= 0
            || text.indexOf('"') >= 0
            || text.indexOf('\n') >= 0
            || text.indexOf('\r') >= 0;
    return quoted ? '"' + text.replace("\"", "\"\"") + '"' : text;
  }
}
