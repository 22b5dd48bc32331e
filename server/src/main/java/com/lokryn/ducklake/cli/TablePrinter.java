package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.Values;
import java.io.IOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;

/**
 * Prints a result as an aligned table. The widths come from its first thousand rows; the others are
 * printed as they arrive.
 */
final class TablePrinter implements ResultPrinter {
  private static final int MEASURED_ROWS = 1_000;
  private static final int LEAST_WIDTH = 4;
  private static final String BETWEEN = " | ";

  private final Writer out;
  private final OptionalInt terminalWidth;
  private final List<List<String>> held = new ArrayList<>();
  private List<Field> fields = List.of();
  private int[] widths = new int[0];
  private boolean measured;
  private long rows;

  TablePrinter(Writer out, OptionalInt terminalWidth) {
    this.out = out;
    this.terminalWidth = terminalWidth;
  }

  @Override
  public void start(VectorSchemaRoot columns, DictionaryProvider dictionaries) {
    fields = columns.getSchema().getFields();
    held.clear();
    measured = false;
    rows = 0;
  }

  @Override
  public void batch(VectorSchemaRoot batch, DictionaryProvider dictionaries) throws IOException {
    var values = new Values(dictionaries);
    List<FieldVector> vectors = batch.getFieldVectors();
    for (int row = 0; row < batch.getRowCount(); row++) {
      var cells = new ArrayList<String>(vectors.size());
      for (int column = 0; column < vectors.size(); column++) {
        Object value = values.read(fields.get(column), vectors.get(column), row);
        cells.add(VisibleText.oneLine(CellText.of(value)));
      }
      rows++;
      if (measured) {
        print(cells);
      } else {
        held.add(cells);
        if (held.size() == MEASURED_ROWS) {
          measure();
        }
      }
    }
    out.flush();
  }

  @Override
  public void end() throws IOException {
    if (!measured) {
      measure();
    }
    line("(%d %s)".formatted(rows, rows == 1 ? "row" : "rows"));
    out.flush();
  }

  @Override
  public void done(String sentence) throws IOException {
    line(sentence);
    out.flush();
  }

  private void measure() throws IOException {
    List<String> names =
        fields.stream().map(field -> VisibleText.oneLine(field.getName())).toList();
    widths = new int[fields.size()];
    for (int column = 0; column < widths.length; column++) {
      int widest = length(names.get(column));
      for (List<String> cells : held) {
        widest = Math.max(widest, length(cells.get(column)));
      }
      widths[column] = widest;
    }
    terminalWidth.ifPresent(this::fit);
    measured = true;
    print(names);
    var line = new StringBuilder();
    for (int column = 0; column < widths.length; column++) {
      line.append(column == 0 ? "" : "-+-").append("-".repeat(widths[column]));
    }
    line(line.toString());
    for (List<String> cells : held) {
      print(cells);
    }
    held.clear();
  }

  /** Takes from the widest columns until the line fits. */
  private void fit(int available) {
    int total = BETWEEN.length() * Math.max(0, widths.length - 1);
    for (int width : widths) {
      total += width;
    }
    while (total > available) {
      int widest = 0;
      for (int column = 1; column < widths.length; column++) {
        widest = widths[column] > widths[widest] ? column : widest;
      }
      if (widths.length == 0 || widths[widest] <= LEAST_WIDTH) {
        return;
      }
      widths[widest]--;
      total--;
    }
  }

  private void print(List<String> cells) throws IOException {
    var line = new StringBuilder();
    for (int column = 0; column < cells.size(); column++) {
      String cell = cells.get(column);
      int length = length(cell);
      if (length > widths[column] && terminalWidth.isPresent()) {
        cell = cell.substring(0, cell.offsetByCodePoints(0, widths[column] - 1)) + "…";
        length = widths[column];
      }
      String space = " ".repeat(Math.max(0, widths[column] - length));
      line.append(column == 0 ? "" : BETWEEN);
      line.append(isNumber(fields.get(column)) ? space + cell : cell + space);
    }
    line(line.toString().stripTrailing());
  }

  private void line(String text) throws IOException {
    out.write(text);
    out.write('\n');
  }

  private static boolean isNumber(Field field) {
    return field.getDictionary() == null
        && switch (field.getType()) {
          case ArrowType.Int _, ArrowType.FloatingPoint _, ArrowType.Decimal _ -> true;
          default -> false;
        };
  }

  private static int length(String text) {
    return text.codePointCount(0, text.length());
  }
}
