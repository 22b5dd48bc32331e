package com.lokryn.ducklake.engine;

import com.lokryn.ducklake.engine.EngineStatement.Typed;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntervalMonthDayNanoVector;
import org.apache.arrow.vector.TimeMicroVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;

/**
 * Refuses what DuckDB would export as something else. Some of its types have no Arrow type of the
 * same meaning, and some of its values none in theirs: infinite dates, the time 24:00, integers of
 * 39 digits. An error that names the column is better than a wrong value.
 */
final class Representable {
  /** DuckDB's types that lose their meaning in Arrow, and what to cast them to. */
  private static final Map<String, String> REFUSED =
      Map.of(
          "TIME WITH TIME ZONE", "VARCHAR",
          "UHUGEINT", "DECIMAL(38,0)",
          "BIT", "VARCHAR",
          "BIGNUM", "VARCHAR",
          "VARIANT", "JSON");

  /** A type's name in type position: not the name of a struct's field. */
  private static final Pattern REFUSED_TYPE =
      Pattern.compile("(?:^|[ (])(TIME WITH TIME ZONE|UHUGEINT|BIT|BIGNUM|VARIANT)(?=$|[,)\\[])");

  private static final long LAST_MICROSECOND_OF_DAY = 86_399_999_999L;
  private static final BigInteger DECIMAL_LIMIT = BigInteger.TEN.pow(38);

  /** The upper 64 bits of 10^38: only above them can a value be too large. */
  private static final long DECIMAL_LIMIT_HIGH = DECIMAL_LIMIT.shiftRight(64).longValueExact();

  /** Looks at one column of a batch. */
  private interface Check {
    void check(FieldVector vector) throws EngineException;
  }

  private record Checked(int column, Check check) {}

  private final List<Checked> checks = new ArrayList<>();

  /** The checks that the batches of a schema need; most schemas need few. */
  Representable(List<Field> columns) {
    for (int i = 0; i < columns.size(); i++) {
      String name = columns.get(i).getName();
      if (isChecked(columns.get(i))) {
        checks.add(new Checked(i, vector -> check(vector, name)));
      }
    }
  }

  /** Refuses columns of types that cannot be sent. */
  static void requireTypes(List<Typed> columns) throws EngineException {
    for (Typed column : columns) {
      Matcher matcher = REFUSED_TYPE.matcher(column.type() == null ? "" : column.type());
      if (matcher.find()) {
        String type = matcher.group(1);
        throw new EngineException(
            EngineError.UNREPRESENTABLE,
            "column \"%s\" has the type %s, which Arrow has no equal of: cast it to %s"
                .formatted(column.name(), column.type(), REFUSED.get(type)));
      }
    }
  }

  /** Refuses a batch with a value that would arrive as another one. */
  void requireValues(VectorSchemaRoot batch) throws EngineException {
    for (Checked checked : checks) {
      checked.check.check(batch.getVector(checked.column));
    }
  }

  private static boolean isChecked(Field field) {
    return switch (field.getType()) {
      case ArrowType.Date _, ArrowType.Timestamp _, ArrowType.Time _, ArrowType.Interval _ -> true;
      case ArrowType.Decimal decimal -> decimal.getPrecision() == 38 && decimal.getScale() == 0;
      default -> field.getChildren().stream().anyMatch(Representable::isChecked);
    };
  }

  private static void check(FieldVector vector, String column) throws EngineException {
    switch (vector) {
      case DateDayVector dates -> dates(dates, column);
      case TimeStampVector timestamps -> timestamps(timestamps, column);
      case TimeMicroVector times -> times(times, column);
      case DecimalVector decimals -> decimals(decimals, column);
      case IntervalMonthDayNanoVector intervals -> intervals(intervals, column);
      default -> {
        for (FieldVector child : vector.getChildrenFromFields()) {
          check(child, column);
        }
      }
    }
  }

  private static void dates(DateDayVector vector, String column) throws EngineException {
    ArrowBuf data = vector.getDataBuffer();
    for (int i = 0; i < vector.getValueCount(); i++) {
      int value = data.getInt(4L * i);
      if ((value == Integer.MAX_VALUE || value == -Integer.MAX_VALUE) && !vector.isNull(i)) {
        throw refused(column, "an infinite date");
      }
    }
  }

  private static void timestamps(TimeStampVector vector, String column) throws EngineException {
    ArrowBuf data = vector.getDataBuffer();
    for (int i = 0; i < vector.getValueCount(); i++) {
      long value = data.getLong(8L * i);
      if ((value == Long.MAX_VALUE || value == -Long.MAX_VALUE) && !vector.isNull(i)) {
        throw refused(column, "an infinite timestamp");
      }
    }
  }

  private static void times(TimeMicroVector vector, String column) throws EngineException {
    ArrowBuf data = vector.getDataBuffer();
    for (int i = 0; i < vector.getValueCount(); i++) {
      long value = data.getLong(8L * i);
      if ((value < 0 || value > LAST_MICROSECOND_OF_DAY) && !vector.isNull(i)) {
        throw refused(column, "a time of 24:00:00 or outside of a day");
      }
    }
  }

  private static void decimals(DecimalVector vector, String column) throws EngineException {
    ArrowBuf data = vector.getDataBuffer();
    for (int i = 0; i < vector.getValueCount(); i++) {
      long high = data.getLong(16L * i + 8);
      if ((high >= DECIMAL_LIMIT_HIGH || high < -DECIMAL_LIMIT_HIGH)
          && !vector.isNull(i)
          && vector.getObject(i).unscaledValue().abs().compareTo(DECIMAL_LIMIT) >= 0) {
        throw refused(column, "an integer of more than 38 digits");
      }
    }
  }

  /**
   * DuckDB's microseconds become nanoseconds without a look at the range. What overflows is no
   * longer a multiple of 1,000, unless it overflows 125 times: 73,000 years of hours.
   */
  private static void intervals(IntervalMonthDayNanoVector vector, String column)
      throws EngineException {
    ArrowBuf data = vector.getDataBuffer();
    for (int i = 0; i < vector.getValueCount(); i++) {
      if (data.getLong(16L * i + 8) % 1_000 != 0 && !vector.isNull(i)) {
        throw refused(column, "an interval of more than 292 years of hours");
      }
    }
  }

  private static EngineException refused(String column, String what) {
    return new EngineException(
        EngineError.UNREPRESENTABLE,
        "column \"%s\" holds %s, which its Arrow type cannot: cast the column to VARCHAR"
            .formatted(column, what));
  }
}
