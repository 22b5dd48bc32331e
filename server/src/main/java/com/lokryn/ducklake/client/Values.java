package com.lokryn.ducklake.client;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DateMilliVector;
import org.apache.arrow.vector.DurationVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.FixedSizeBinaryVector;
import org.apache.arrow.vector.Float2Vector;
import org.apache.arrow.vector.IntervalDayVector;
import org.apache.arrow.vector.IntervalMonthDayNanoVector;
import org.apache.arrow.vector.IntervalYearVector;
import org.apache.arrow.vector.LargeVarCharVector;
import org.apache.arrow.vector.NullVector;
import org.apache.arrow.vector.TimeMicroVector;
import org.apache.arrow.vector.TimeMilliVector;
import org.apache.arrow.vector.TimeNanoVector;
import org.apache.arrow.vector.TimeSecVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.UInt1Vector;
import org.apache.arrow.vector.UInt2Vector;
import org.apache.arrow.vector.UInt4Vector;
import org.apache.arrow.vector.UInt8Vector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.ViewVarCharVector;
import org.apache.arrow.vector.complex.BaseListVector;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.complex.UnionVector;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.jspecify.annotations.Nullable;

/**
 * Arrow's values as Java's: numbers, strings, {@code java.time}, {@code byte[]}, lists, and the
 * records here for what Java has no type of. Dictionaries are resolved.
 */
public final class Values {
  /** An interval, in the three parts that cannot be turned into each other. */
  public record Interval(int months, int days, long nanos) {}

  /** The fields of a struct, in order. */
  public record Struct(List<Attribute> attributes) {}

  /** A field of a struct, or the chosen member of a union. */
  public record Attribute(String name, @Nullable Object value) {}

  /** A map; its keys can be of any type. */
  public record MapOf(List<Entry> entries) {}

  /** A key of a map and what it stands for. */
  public record Entry(@Nullable Object key, @Nullable Object value) {}

  private static final String EXTENSION_NAME = "ARROW:extension:name";

  private static final long NANOS_PER_DAY = 86_400_000_000_000L;
  private static final long MILLIS_PER_DAY = 86_400_000L;

  private final DictionaryProvider dictionaries;

  public Values(DictionaryProvider dictionaries) {
    this.dictionaries = dictionaries;
  }

  /**
   * The value of a row; null for NULL.
   *
   * @param field the vector's field as the schema has it: nested vectors make a new one at each
   *     call, and those of unions one with other type numbers
   */
  public @Nullable Object read(Field field, ValueVector vector, int row) {
    if (vector instanceof UnionVector || vector instanceof DenseUnionVector) {
      // Their isNull takes the first member's number for a null.
      return union(field, (FieldVector) vector, row);
    }
    if (vector instanceof NullVector || vector.isNull(row)) {
      return null;
    }
    var encoding = field.getDictionary();
    if (encoding != null) {
      int index = (int) ((BaseIntVector) vector).getValueAsLong(row);
      FieldVector values = dictionaries.lookup(encoding.getId()).getVector();
      return read(values.getField(), values, index);
    }
    return switch (vector) {
      case BitVector v -> v.get(row) != 0;
      case UInt1Vector v -> v.get(row) & 0xFF;
      case UInt2Vector v -> (int) v.get(row);
      case UInt4Vector v -> Integer.toUnsignedLong(v.get(row));
      case UInt8Vector v -> new BigInteger(Long.toUnsignedString(v.get(row)));
      case Float2Vector v -> v.getValueAsFloat(row);
      case VarCharVector v -> text(v.get(row));
      case LargeVarCharVector v -> text(v.get(row));
      case ViewVarCharVector v -> text(v.get(row));
      case FixedSizeBinaryVector v -> fixed(field, v.get(row));
      case DateDayVector v -> LocalDate.ofEpochDay(v.get(row));
      case DateMilliVector v -> LocalDate.ofEpochDay(Math.floorDiv(v.get(row), MILLIS_PER_DAY));
      case TimeSecVector v -> time(v.get(row) * 1_000_000_000L);
      case TimeMilliVector v -> time(v.get(row) * 1_000_000L);
      case TimeMicroVector v -> time(v.get(row) * 1_000L);
      case TimeNanoVector v -> time(v.get(row));
      case TimeStampVector v -> timestamp((ArrowType.Timestamp) field.getType(), v.get(row));
      case DurationVector v -> new Interval(0, 0, v.getObject(row).toNanos());
      case IntervalYearVector v -> new Interval(v.get(row), 0, 0);
      case IntervalDayVector v -> interval(v, row);
      case IntervalMonthDayNanoVector v -> interval(v, row);
      case MapVector v -> map(field, v, row);
      case BaseListVector v -> list(field, v, row);
      case StructVector v -> struct(field, v, row);
      // Decimals, binaries and the other numbers are already what they should be.
      default -> vector.getObject(row);
    };
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static Object fixed(Field field, byte[] bytes) {
    if (bytes.length == 16 && "arrow.uuid".equals(field.getMetadata().get(EXTENSION_NAME))) {
      var buffer = ByteBuffer.wrap(bytes);
      return new UUID(buffer.getLong(), buffer.getLong()).toString();
    }
    return bytes;
  }

  /** SQL has a time 24:00:00, Java has not. */
  private static Object time(long nanos) {
    return nanos == NANOS_PER_DAY ? "24:00:00" : LocalTime.ofNanoOfDay(nanos);
  }

  private static Object timestamp(ArrowType.Timestamp type, long value) {
    long perSecond = perSecond(type.getUnit());
    long seconds = Math.floorDiv(value, perSecond);
    int nanos = (int) (Math.floorMod(value, perSecond) * (1_000_000_000L / perSecond));
    return type.getTimezone() == null
        ? LocalDateTime.ofEpochSecond(seconds, nanos, ZoneOffset.UTC)
        : OffsetDateTime.ofInstant(Instant.ofEpochSecond(seconds, nanos), zone(type.getTimezone()));
  }

  private static ZoneId zone(String name) {
    try {
      return ZoneId.of(name);
    } catch (DateTimeException _) {
      // A zone that only the server knows; the instant is the same in any.
      return ZoneOffset.UTC;
    }
  }

  private static long perSecond(TimeUnit unit) {
    return switch (unit) {
      case SECOND -> 1;
      case MILLISECOND -> 1_000;
      case MICROSECOND -> 1_000_000;
      case NANOSECOND -> 1_000_000_000;
    };
  }

  private static Interval interval(IntervalMonthDayNanoVector vector, int row) {
    var buffer = vector.getDataBuffer();
    return new Interval(
        IntervalMonthDayNanoVector.getMonths(buffer, row),
        IntervalMonthDayNanoVector.getDays(buffer, row),
        IntervalMonthDayNanoVector.getNanoseconds(buffer, row));
  }

  private static Interval interval(IntervalDayVector vector, int row) {
    var buffer = vector.getDataBuffer();
    return new Interval(
        0,
        IntervalDayVector.getDays(buffer, row),
        IntervalDayVector.getMilliseconds(buffer, row) * 1_000_000L);
  }

  private List<@Nullable Object> list(Field field, BaseListVector vector, int row) {
    Field element = field.getChildren().getFirst();
    FieldVector elements = vector.getChildrenFromFields().getFirst();
    var values = new ArrayList<@Nullable Object>();
    for (int i = vector.getElementStartIndex(row); i < vector.getElementEndIndex(row); i++) {
      values.add(read(element, elements, i));
    }
    return values;
  }

  private MapOf map(Field field, MapVector vector, int row) {
    List<Field> pair = field.getChildren().getFirst().getChildren();
    List<FieldVector> vectors = vector.getDataVector().getChildrenFromFields();
    var entries = new ArrayList<Entry>();
    for (int i = vector.getElementStartIndex(row); i < vector.getElementEndIndex(row); i++) {
      entries.add(
          new Entry(read(pair.get(0), vectors.get(0), i), read(pair.get(1), vectors.get(1), i)));
    }
    return new MapOf(entries);
  }

  private Struct struct(Field field, StructVector vector, int row) {
    List<FieldVector> vectors = vector.getChildrenFromFields();
    var attributes = new ArrayList<Attribute>(vectors.size());
    for (int i = 0; i < vectors.size(); i++) {
      Field child = field.getChildren().get(i);
      attributes.add(new Attribute(child.getName(), read(child, vectors.get(i), row)));
    }
    return new Struct(attributes);
  }

  private @Nullable Object union(Field field, FieldVector vector, int row) {
    int type;
    int at;
    if (vector instanceof DenseUnionVector dense) {
      type = dense.getTypeId(row);
      at = dense.getOffset(row);
    } else {
      type = ((UnionVector) vector).getTypeBuffer().getByte(row);
      at = row;
    }
    int[] types = ((ArrowType.Union) field.getType()).getTypeIds();
    List<FieldVector> members = vector.getChildrenFromFields();
    for (int i = 0; i < members.size(); i++) {
      if ((types == null || types.length == 0 ? i : types[i]) == type) {
        Field member = field.getChildren().get(i);
        Object value = read(member, members.get(i), at);
        // DuckDB's union that is NULL has a member too, but none that anyone chose.
        return value == null ? null : new Attribute(member.getName(), value);
      }
    }
    return null;
  }
}
