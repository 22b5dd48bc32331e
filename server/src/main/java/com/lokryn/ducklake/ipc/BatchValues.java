package com.lokryn.ducklake.ipc;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.BaseVariableWidthViewVector;
import org.apache.arrow.vector.ExtensionTypeVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.complex.UnionVector;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;

/**
 * Looks at what vectors hold as far as someone who reads them unchecked relies on it: offsets rise
 * and stay inside, texts are UTF-8, members of unions exist, times lie in a day, decimals have the
 * digits of their type. The lengths of the buffers themselves are {@link BatchStructure}'s.
 */
final class BatchValues {
  private static final int DECIMAL_BITS = 128;
  private static final int SMALL = 4;
  private static final int LARGE = 8;
  private static final long NOT_ASCII = 0x8080_8080_8080_8080L;
  private static final int DECODED_CHARS = 8_192;

  /** The offsets of a vector's rows in its data, 4 or 8 bytes each. */
  private record Offsets(ArrowBuf buffer, int width) {
    long at(int row) {
      return width == SMALL
          ? buffer.getInt((long) row * SMALL)
          : buffer.getLong((long) row * LARGE);
    }
  }

  private BatchValues() {}

  static void require(FieldVector vector) {
    if (vector instanceof ExtensionTypeVector<?> extension) {
      require((FieldVector) extension.getUnderlyingVector());
      return;
    }
    int rows = vector.getValueCount();
    if (rows == 0) {
      return;
    }
    switch (vector.getField().getType()) {
      case ArrowType.Utf8 _ -> text(vector, offsets(vector, SMALL, dataBytes(vector)));
      case ArrowType.LargeUtf8 _ -> text(vector, offsets(vector, LARGE, dataBytes(vector)));
      case ArrowType.Binary _ -> offsets(vector, SMALL, dataBytes(vector));
      case ArrowType.LargeBinary _ -> offsets(vector, LARGE, dataBytes(vector));
      case ArrowType.List _, ArrowType.Map _ ->
          offsets(vector, SMALL, vector.getChildrenFromFields().getFirst().getValueCount());
      case ArrowType.LargeList _ ->
          offsets(vector, LARGE, vector.getChildrenFromFields().getFirst().getValueCount());
      case ArrowType.Utf8View _, ArrowType.BinaryView _ ->
          views((BaseVariableWidthViewVector) vector);
      case ArrowType.Union type -> members(vector, type);
      case ArrowType.Time type -> times(vector, type);
      case ArrowType.Date type when type.getUnit() == DateUnit.MILLISECOND -> dates(vector);
      case ArrowType.Decimal type when type.getBitWidth() == DECIMAL_BITS ->
          decimals(vector, type.getPrecision());
      default -> {
        // Any bits are a value.
      }
    }
    vector.getChildrenFromFields().forEach(BatchValues::require);
  }

  private static long dataBytes(FieldVector vector) {
    return vector.getDataBuffer().capacity();
  }

  private static Offsets offsets(FieldVector vector, int width, long end) {
    var offsets = new Offsets(vector.getOffsetBuffer(), width);
    int rows = vector.getValueCount();
    long before = 0;
    boolean rising = true;
    for (int row = 0; row <= rows; row++) {
      long offset = offsets.at(row);
      rising &= offset >= before;
      before = offset;
    }
    if (!rising || before > end) {
      throw IpcException.malformed(
          "the offsets of column %s do not rise, or lead outside of its data"
              .formatted(vector.getName()));
    }
    return offsets;
  }

  private static void text(FieldVector vector, Offsets offsets) {
    ArrowBuf data = vector.getDataBuffer();
    int rows = vector.getValueCount();
    if (isAscii(data, offsets.at(0), offsets.at(rows))) {
      return;
    }
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    CharBuffer decoded = CharBuffer.allocate(DECODED_CHARS);
    for (int row = 0; row < rows; row++) {
      // What lies in the place of a NULL is never read.
      if (!vector.isNull(row)) {
        long from = offsets.at(row);
        long length = offsets.at(row + 1) - from;
        requireUtf8(vector, row, decoder, decoded, data.nioBuffer(from, Math.toIntExact(length)));
      }
    }
  }

  private static boolean isAscii(ArrowBuf data, long from, long to) {
    long bits = 0;
    long at = from;
    for (; at + LARGE <= to; at += LARGE) {
      bits |= data.getLong(at);
    }
    for (; at < to; at++) {
      bits |= data.getByte(at);
    }
    return (bits & NOT_ASCII) == 0;
  }

  private static void requireUtf8(
      FieldVector vector, int row, CharsetDecoder decoder, CharBuffer decoded, ByteBuffer bytes) {
    decoder.reset();
    CoderResult result;
    do {
      decoded.clear();
      result = decoder.decode(bytes, decoded, true);
    } while (result.isOverflow());
    if (result.isError()) {
      throw IpcException.malformed(
          "row %d of the text column %s is not UTF-8".formatted(row, vector.getName()));
    }
  }

  private static void views(BaseVariableWidthViewVector vector) {
    ArrowBuf views = vector.getDataBuffer();
    var data = vector.getDataBuffers();
    boolean isText = vector.getField().getType() instanceof ArrowType.Utf8View;
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    CharBuffer decoded = CharBuffer.allocate(DECODED_CHARS);
    for (int row = 0; row < vector.getValueCount(); row++) {
      if (vector.isNull(row)) {
        continue;
      }
      long view = (long) row * BaseVariableWidthViewVector.ELEMENT_SIZE;
      int length = views.getInt(view);
      ByteBuffer bytes;
      if (length >= 0 && length <= BaseVariableWidthViewVector.INLINE_SIZE) {
        bytes = views.nioBuffer(view + BaseVariableWidthViewVector.LENGTH_WIDTH, length);
      } else {
        int index =
            views.getInt(
                view
                    + BaseVariableWidthViewVector.LENGTH_WIDTH
                    + BaseVariableWidthViewVector.PREFIX_WIDTH);
        int offset =
            views.getInt(
                view
                    + BaseVariableWidthViewVector.LENGTH_WIDTH
                    + BaseVariableWidthViewVector.PREFIX_WIDTH
                    + BaseVariableWidthViewVector.BUF_INDEX_WIDTH);
        if (length < 0
            || index < 0
            || index >= data.size()
            || offset < 0
            || (long) offset + length > data.get(index).capacity()) {
          throw IpcException.malformed(
              "row %d of column %s lies outside of its data".formatted(row, vector.getName()));
        }
        bytes = data.get(index).nioBuffer(offset, length);
      }
      if (isText) {
        requireUtf8(vector, row, decoder, decoded, bytes);
      }
    }
  }

  /** DuckDB takes what lies outside of a day for a time all the same, and then writes anywhere. */
  private static void times(FieldVector vector, ArrowType.Time type) {
    ArrowBuf data = vector.getDataBuffer();
    long day =
        switch (type.getUnit()) {
          case SECOND -> TimeUnit.DAYS.toSeconds(1);
          case MILLISECOND -> TimeUnit.DAYS.toMillis(1);
          case MICROSECOND -> TimeUnit.DAYS.toMicros(1);
          case NANOSECOND -> TimeUnit.DAYS.toNanos(1);
        };
    boolean isSmall = type.getBitWidth() == Integer.SIZE;
    for (int row = 0; row < vector.getValueCount(); row++) {
      long value = isSmall ? data.getInt(4L * row) : data.getLong(8L * row);
      if ((value < 0 || value > day) && !vector.isNull(row)) {
        throw outOfRange(vector, row, "a time of day");
      }
    }
  }

  private static void dates(FieldVector vector) {
    ArrowBuf data = vector.getDataBuffer();
    long most = TimeUnit.DAYS.toMillis(Integer.MAX_VALUE - 1L);
    for (int row = 0; row < vector.getValueCount(); row++) {
      long value = data.getLong(8L * row);
      if ((value < -most || value > most) && !vector.isNull(row)) {
        throw outOfRange(vector, row, "a date");
      }
    }
  }

  /** What has more digits than the type would lose some of them. */
  private static void decimals(FieldVector vector, int precision) {
    BigInteger limit = BigInteger.TEN.pow(precision);
    long limitHigh = limit.shiftRight(Long.SIZE).longValueExact();
    long limitLow = limit.longValue();
    ArrowBuf data = vector.getDataBuffer();
    for (int row = 0; row < vector.getValueCount(); row++) {
      long low = data.getLong(16L * row);
      long high = data.getLong(16L * row + 8);
      if (high < 0) {
        // The absolute value, in two's complement.
        low = -low;
        high = ~high + (low == 0 ? 1 : 0);
      }
      boolean isLess =
          high >= 0
              && (high < limitHigh
                  || (high == limitHigh && Long.compareUnsigned(low, limitLow) < 0));
      if (!isLess && !vector.isNull(row)) {
        throw outOfRange(vector, row, "a decimal of %d digits".formatted(precision));
      }
    }
  }

  private static IpcException outOfRange(FieldVector vector, int row, String what) {
    return IpcException.malformed(
        "row %d of column %s is not %s".formatted(row, vector.getName(), what));
  }

  private static void members(FieldVector vector, ArrowType.Union type) {
    boolean[] known = new boolean[Byte.MAX_VALUE + 1];
    int[] ids = type.getTypeIds();
    for (int i = 0; i < vector.getField().getChildren().size(); i++) {
      int id = ids == null ? i : ids[i];
      known[id] = true;
    }
    ArrowBuf members =
        switch (vector) {
          case UnionVector sparse -> sparse.getTypeBuffer();
          case DenseUnionVector dense -> dense.getTypeBuffer();
          default -> throw new IllegalStateException("a union of " + vector.getClass());
        };
    for (int row = 0; row < vector.getValueCount(); row++) {
      byte member = members.getByte(row);
      if (member < 0 || !known[member]) {
        throw IpcException.malformed(
            "row %d of column %s is of a member %d that its type does not have"
                .formatted(row, vector.getName(), member));
      }
    }
  }
}
