package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.ipc.IncomingBatches;
import com.lokryn.ducklake.query.Parameters;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.QueryException;
import java.math.BigInteger;
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
import org.apache.arrow.vector.ViewVarBinaryVector;
import org.apache.arrow.vector.ViewVarCharVector;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.jspecify.annotations.Nullable;

/** The values that a client binds, out of their Arrow batches. */
final class ParameterReader {
  /** What one binding may hold: it stays in memory until it is run. */
  private static final int MAX_VALUES = 5_000_000;

  private ParameterReader() {}

  /** Reads the whole upload. */
  static Parameters read(IncomingBatches batches) {
    var rows = new ArrayList<List<@Nullable Object>>();
    while (batches.next()) {
      VectorSchemaRoot root = batches.root();
      int columns = root.getFieldVectors().size();
      if ((long) (rows.size() + root.getRowCount()) * Math.max(1, columns) > MAX_VALUES) {
        throw new QueryException(
            Problem.LIMIT,
            "more than %d values bound at once: use a bulk ingest".formatted(MAX_VALUES));
      }
      for (int row = 0; row < root.getRowCount(); row++) {
        var values = new ArrayList<@Nullable Object>(columns);
        for (FieldVector vector : root.getFieldVectors()) {
          values.add(value(vector, row));
        }
        rows.add(values);
      }
    }
    return new Parameters(rows);
  }

  private static @Nullable Object value(FieldVector vector, int row) {
    if (vector.isNull(row)) {
      return null;
    }
    return plain(vector, row);
  }

  private static @Nullable Object plain(FieldVector vector, int row) {
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
      case VarCharVector v -> String.valueOf(v.getObject(row));
      case LargeVarCharVector v -> String.valueOf(v.getObject(row));
      case ViewVarCharVector v -> String.valueOf(v.getObject(row));
      case VarBinaryVector v -> v.get(row);
      case LargeVarBinaryVector v -> v.get(row);
      case ViewVarBinaryVector v -> v.get(row);
      case FixedSizeBinaryVector v -> v.get(row);
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
