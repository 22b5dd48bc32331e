package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.ipc.IncomingBatches;
import com.lokryn.ducklake.observe.Limit;
import com.lokryn.ducklake.query.Parameters;
import com.lokryn.ducklake.query.QueryException;
import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DateMilliVector;
import org.apache.arrow.vector.Decimal256Vector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.FixedSizeBinaryVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.LargeVarBinaryVector;
import org.apache.arrow.vector.LargeVarCharVector;
import org.apache.arrow.vector.NullVector;
import org.apache.arrow.vector.SmallIntVector;
import org.apache.arrow.vector.TimeMicroVector;
import org.apache.arrow.vector.TimeMilliVector;
import org.apache.arrow.vector.TimeNanoVector;
import org.apache.arrow.vector.TimeSecVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.UInt1Vector;
import org.apache.arrow.vector.UInt2Vector;
import org.apache.arrow.vector.UInt4Vector;
import org.apache.arrow.vector.UInt8Vector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.jspecify.annotations.Nullable;

/** The values that a client binds, out of their Arrow batches. */
final class ParameterReader {
  /** What one binding may hold: it stays in memory until it is run. */
  private static final int MAX_VALUES = 5_000_000;

  /**
   * What the values of one binding may take of the heap, an eighth of the 512 MB that the program
   * runs with: more is what a bulk ingest is for, whose rows never come there.
   */
  private static final long MAX_HEAP_BYTES = 64 << 20;

  /** A list with its array, the place of a value in it, and a value: a boxed one, or a text's. */
  private static final int ROW_BYTES = 48;

  private static final int SLOT_BYTES = 8;
  private static final int VALUE_BYTES = 48;

  private final IncomingBatches batches;
  private final List<List<@Nullable Object>> rows = new ArrayList<>();
  private long heapBytes;

  private ParameterReader(IncomingBatches batches) {
    this.batches = batches;
  }

  /**
   * Reads the whole upload. One without columns binds nothing, as clients send it along with a
   * statement that has no parameters; one with columns binds its rows, be they none.
   */
  static Parameters read(IncomingBatches batches) {
    return new ParameterReader(batches).read();
  }

  private Parameters read() {
    while (batches.next()) {
      read(batches.root());
    }
    boolean bound = !rows.isEmpty() || !batches.schema().getFields().isEmpty();
    return bound ? Parameters.of(rows, heapBytes) : Parameters.NONE;
  }

  private void read(VectorSchemaRoot root) {
    List<FieldVector> columns = root.getFieldVectors();
    int count = root.getRowCount();
    if ((long) (rows.size() + count) * Math.max(1, columns.size()) > MAX_VALUES) {
      throw new QueryException(
          Limit.REQUEST_SIZE,
          "more than %d values bound at once: use a bulk ingest, or fewer rows"
              .formatted(MAX_VALUES));
    }
    for (int row = 0; row < count; row++) {
      hold(ROW_BYTES + (long) SLOT_BYTES * columns.size());
      var values = new ArrayList<@Nullable Object>(columns.size());
      for (FieldVector column : columns) {
        values.add(value(column, row));
      }
      rows.add(values);
    }
  }

  private @Nullable Object value(FieldVector vector, int row) {
    return vector.isNull(row) ? null : plain(vector, row);
  }

  private void hold(long bytes) {
    heapBytes += bytes;
    if (heapBytes > MAX_HEAP_BYTES) {
      throw new QueryException(
          Limit.REQUEST_SIZE,
          "the bound parameters take more than %d MiB: use a bulk ingest, or bind fewer rows at once"
              .formatted(MAX_HEAP_BYTES >> 20));
    }
  }

  private @Nullable Object plain(FieldVector vector, int row) {
    hold(VALUE_BYTES);
    try {
      return switch (vector) {
        case NullVector _ -> null;
        case BitVector v -> v.get(row) != 0;
        case TinyIntVector v -> v.get(row);
        case SmallIntVector v -> v.get(row);
        case IntVector v -> v.get(row);
        case BigIntVector v -> v.get(row);
        case UInt1Vector v -> (short) (v.get(row) & 0xFF);
        case UInt2Vector v -> (int) v.get(row);
        case UInt4Vector v -> Integer.toUnsignedLong(v.get(row));
        case UInt8Vector v -> new BigInteger(Long.toUnsignedString(v.get(row)));
        case Float4Vector v -> v.get(row);
        case Float8Vector v -> v.get(row);
        case DecimalVector v -> v.getObject(row);
        case Decimal256Vector v -> v.getObject(row);
        case VarCharVector v -> text(v, row, v.getValueLength(row));
        case LargeVarCharVector v -> text(v, row, v.getValueLength(row));
        case VarBinaryVector v -> {
          hold(v.getValueLength(row));
          yield v.get(row);
        }
        case LargeVarBinaryVector v -> {
          hold(v.getValueLength(row));
          yield v.get(row);
        }
        case FixedSizeBinaryVector v -> {
          hold(v.getByteWidth());
          yield v.get(row);
        }
        case DateDayVector v -> LocalDate.ofEpochDay(v.get(row));
        case DateMilliVector v ->
            Instant.ofEpochMilli(v.get(row)).atOffset(ZoneOffset.UTC).toLocalDate();
        case TimeSecVector v -> LocalTime.ofSecondOfDay(v.get(row));
        case TimeMilliVector v -> LocalTime.ofNanoOfDay(TimeUnit.MILLISECONDS.toNanos(v.get(row)));
        case TimeMicroVector v -> LocalTime.ofNanoOfDay(TimeUnit.MICROSECONDS.toNanos(v.get(row)));
        case TimeNanoVector v -> whole(LocalTime.ofNanoOfDay(v.get(row)), v.get(row));
        case TimeStampVector v -> timestamp(v, row);
        default ->
            throw FlightErrors.invalid(
                "parameters of the Arrow type %s are not supported: bind text and cast it"
                    .formatted(vector.getField().getType()));
      };
    } catch (DateTimeException e) {
      throw FlightErrors.invalid(
          "a value of the column %s is out of range: %s"
              .formatted(vector.getName(), e.getMessage()));
    }
  }

  private String text(FieldVector vector, int row, int bytes) {
    // A byte for each letter while all are Latin, two for each when one is not.
    hold(bytes);
    String text = String.valueOf(vector.getObject(row));
    if (text.length() != bytes) {
      hold(Math.max(0, 2L * text.length() - bytes));
    }
    return text;
  }

  private static Object timestamp(TimeStampVector vector, int row) {
    long value = vector.get(row);
    var type = (ArrowType.Timestamp) vector.getField().getType();
    TimeUnit unit =
        switch (type.getUnit()) {
          case SECOND -> TimeUnit.SECONDS;
          case MILLISECOND -> TimeUnit.MILLISECONDS;
          case MICROSECOND -> TimeUnit.MICROSECONDS;
          case NANOSECOND -> TimeUnit.NANOSECONDS;
        };
    long perSecond = unit.convert(1, TimeUnit.SECONDS);
    Instant instant =
        Instant.ofEpochSecond(
            Math.floorDiv(value, perSecond), unit.toNanos(Math.floorMod(value, perSecond)));
    if (type.getTimezone() != null) {
      return OffsetDateTime.ofInstant(instant, ZoneOffset.UTC);
    }
    var local = LocalDateTime.ofInstant(instant, ZoneOffset.UTC);
    return whole(local, unit.toNanos(Math.floorMod(value, perSecond)));
  }

  /** The driver's times have microseconds; a finer one goes as text, which loses nothing. */
  private static Object whole(Object time, long nanos) {
    return nanos % 1_000 == 0 ? time : time.toString();
  }
}
