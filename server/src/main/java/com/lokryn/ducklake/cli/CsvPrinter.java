package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.Values;
import java.io.IOException;
import java.io.Writer;
import java.util.List;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.Field;
import org.jspecify.annotations.Nullable;

/** Prints a result as CSV (RFC 4180); NULL is an empty field, an empty text a quoted one. */
final class CsvPrinter implements ResultPrinter {
  private static final String LINE_END = "\r\n";

  private final Writer out;

  CsvPrinter(Writer out) {
    this.out = out;
  }

  @Override
  public void start(VectorSchemaRoot columns, DictionaryProvider dictionaries) throws IOException {
    String separator = "";
    for (FieldVector vector : columns.getFieldVectors()) {
      out.write(separator);
      out.write(field(vector.getName()));
      separator = ",";
    }
    out.write(LINE_END);
    out.flush();
  }

  @Override
  public void batch(VectorSchemaRoot batch, DictionaryProvider dictionaries) throws IOException {
    var values = new Values(dictionaries);
    List<Field> fields = batch.getSchema().getFields();
    List<FieldVector> vectors = batch.getFieldVectors();
    for (int row = 0; row < batch.getRowCount(); row++) {
      for (int column = 0; column < vectors.size(); column++) {
        out.write(column == 0 ? "" : ",");
        out.write(field(values.read(fields.get(column), vectors.get(column), row)));
      }
      out.write(LINE_END);
    }
    out.flush();
  }

  @Override
  public void end() {
    // All is written.
  }

  @Override
  public void done(String sentence) {
    // A change has no rows to print.
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
