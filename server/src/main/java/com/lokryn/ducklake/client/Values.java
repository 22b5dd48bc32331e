package com.lokryn.ducklake.client;

import java.math.BigInteger;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.TimeMicroVector;
import org.apache.arrow.vector.TimeNanoVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.UInt1Vector;
import org.apache.arrow.vector.UInt2Vector;
import org.apache.arrow.vector.UInt4Vector;
import org.apache.arrow.vector.UInt8Vector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.complex.UnionVector;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.util.Text;
import org.jspecify.annotations.Nullable;

/**
 * Arrow's values as Java's: numbers, texts, {@code java.time}, {@code byte[]}, lists, and maps with
 * their entries in order.
 */
public final class Values {
  private Values() {}

  /** The value of a row; null for NULL. */
  public static @Nullable Object of(ValueVector vector, int row, DictionaryProvider dictionaries) {
    if (vector.isNull(row)) {
      return null;
    }
    var encoding = vector.getField().getDictionary();
    if (encoding != null) {
      int index = (int) ((BaseIntVector) vector).getValueAsLong(row);
      return of(dictionaries.lookup(encoding.getId()).getVector(), index, dictionaries);
    }
    return switch (vector) {
      case MapVector map -> map(map, row, dictionaries);
      case ListVector list ->
          list(
              list.getDataVector(),
              list.getElementStartIndex(row),
              list.getElementEndIndex(row),
              dictionaries);
      case FixedSizeListVector list ->
          list(
              list.getDataVector(),
              row * list.getListSize(),
              (row + 1) * list.getListSize(),
              dictionaries);
      case StructVector struct -> struct(struct, row, dictionaries);
      case UnionVector union -> of(union.getVector(row), row, dictionaries);
      case UInt1Vector v -> v.get(row) & 0xFF;
      case UInt2Vector v -> (int) v.get(row);
      case UInt4Vector v -> Integer.toUnsignedLong(v.get(row));
      case UInt8Vector v -> new BigInteger(Long.toUnsignedString(v.get(row)));
      case DateDayVector v -> LocalDate.ofEpochDay(v.get(row));
      case TimeMicroVector v -> LocalTime.ofNanoOfDay(TimeUnit.MICROSECONDS.toNanos(v.get(row)));
      case TimeNanoVector v -> LocalTime.ofNanoOfDay(v.get(row));
      case TimeStampVector v -> timestamp(v, row);
      default ->
          vector.getObject(row) instanceof Text text ? text.toString() : vector.getObject(row);
    };
  }

  private static Object timestamp(TimeStampVector vector, int row) {
    var type = (ArrowType.Timestamp) vector.getField().getType();
    TimeUnit unit =
        switch (type.getUnit()) {
          case SECOND -> TimeUnit.SECONDS;
          case MILLISECOND -> TimeUnit.MILLISECONDS;
          case MICROSECOND -> TimeUnit.MICROSECONDS;
          case NANOSECOND -> TimeUnit.NANOSECONDS;
        };
    long perSecond = unit.convert(1, TimeUnit.SECONDS);
    long value = vector.get(row);
    Instant instant =
        Instant.ofEpochSecond(
            Math.floorDiv(value, perSecond), unit.toNanos(Math.floorMod(value, perSecond)));
    return type.getTimezone() == null
        ? LocalDateTime.ofInstant(instant, ZoneOffset.UTC)
        : instant.atOffset(ZoneOffset.UTC);
  }

  private static List<@Nullable Object> list(
      FieldVector data, int from, int to, DictionaryProvider dictionaries) {
    var values = new ArrayList<@Nullable Object>(to - from);
    for (int i = from; i < to; i++) {
      values.add(of(data, i, dictionaries));
    }
    return values;
  }

  private static Object struct(StructVector struct, int row, DictionaryProvider dictionaries) {
    var values = new LinkedHashMap<String, @Nullable Object>();
    for (FieldVector child : struct.getChildrenFromFields()) {
      values.put(child.getName(), of(child, row, dictionaries));
    }
    return values;
  }

  private static Object map(MapVector map, int row, DictionaryProvider dictionaries) {
    var entries = (StructVector) map.getDataVector();
    FieldVector keys = entries.getChildrenFromFields().get(0);
    FieldVector values = entries.getChildrenFromFields().get(1);
    var result = new LinkedHashMap<String, @Nullable Object>();
    for (int i = map.getElementStartIndex(row); i < map.getElementEndIndex(row); i++) {
      result.put(String.valueOf(of(keys, i, dictionaries)), of(values, i, dictionaries));
    }
    return result;
  }
}
