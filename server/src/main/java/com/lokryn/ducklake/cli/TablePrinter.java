package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.ResultSink;
import com.lokryn.ducklake.client.Values;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;

/**
 * Prints a result as an aligned table. The widths come from its first thousand rows; the others are
 * printed as they arrive.
 */
final class TablePrinter implements ResultSink {
  private static final int MEASURED_ROWS = 1_000;
  private static final int LEAST_WIDTH = 4;
  private static final String BETWEEN = " | ";

  private final PrintStream out;
  private final OptionalInt terminalWidth;
  private final List<List<String>> held = new ArrayList<>();
  private int[] widths = new int[0];
  private boolean measured;
  private long rows;

  TablePrinter(PrintStream out, OptionalInt terminalWidth) {
    this.out = out;
    this.terminalWidth = terminalWidth;
  }

  @Override
  public void batch(VectorSchemaRoot batch, DictionaryProvider dictionaries) {
    for (int row = 0; row < batch.getRowCount(); row++) {
      var cells = new ArrayList<String>(batch.getFieldVectors().size());
      for (var vector : batch.getFieldVectors()) {
        cells.add(printable(CellText.of(Values.of(vector, row, dictionaries))));
      }
      rows++;
      if (measured) {
        print(batch.getSchema().getFields(), cells);
      } else {
        held.add(cells);
        if (held.size() == MEASURED_ROWS) {
          measure(batch.getSchema().getFields());
        }
      }
    }
  }

  @Override
  public void end(VectorSchemaRoot root) {
    if (!measured) {
      measure(root.getSchema().getFields());
    }
    out.printf("(%d %s)%n", rows, rows == 1 ? "row" : "rows");
    rows = 0;
    measured = false;
  }

  @Override
  public void changed(long changed) {
    out.println(changed == 0 ? "OK" : changed + (changed == 1 ? " row" : " rows") + " changed");
  }

  private void measure(List<Field> fields) {
    widths = new int[fields.size()];
    for (int column = 0; column < widths.length; column++) {
      int widest = length(printable(fields.get(column).getName()));
      for (List<String> cells : held) {
        widest = Math.max(widest, length(cells.get(column)));
      }
      widths[column] = widest;
    }
    terminalWidth.ifPresent(this::fit);
    measured = true;
    var names = fields.stream().map(field -> printable(field.getName())).toList();
    print(fields, names);
    var line = new StringBuilder();
    for (int column = 0; column < widths.length; column++) {
      line.append(column == 0 ? "" : "-+-").append("-".repeat(widths[column]));
    }
    out.println(line);
    held.forEach(cells -> print(fields, cells));
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

  private void print(List<Field> fields, List<String> cells) {
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
    out.println(line.toString().stripTrailing());
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

  /** A line of a table is one line of the terminal. */
  private static String printable(String text) {
    return text.replace("\r", "").replace("\n", "↵").replace("\t", " ");
  }
}
