package com.lokryn.ducklake.flight;

import io.grpc.StatusRuntimeException;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.BaseLargeVariableWidthVector;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.BaseVariableWidthViewVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.NullVector;

/**
 * Looks at the buffers of a vector that a client made, before a value of it is read: Arrow believes
 * its lengths and offsets, and a wrong one would read memory that is not the vector's. Arrow's own
 * {@code validateFull} reads the last offset before it looks at the buffer's size, lets a negative
 * first offset pass, and knows no views.
 */
final class ReceivedVector {
  private ReceivedVector() {}

  /** Refuses a vector of a nested type, and one whose buffers do not hold what they announce. */
  static void check(FieldVector vector) {
    long count = vector.getValueCount();
    require(count >= 0, vector);
    if (vector instanceof NullVector) {
      return;
    }
    switch (vector) {
      case BitVector v -> requireBits(v.getDataBuffer(), count, v);
      case BaseFixedWidthVector v -> requireBytes(v.getDataBuffer(), count * v.getTypeWidth(), v);
      case BaseVariableWidthVector v -> checkOffsets(v);
      case BaseLargeVariableWidthVector v -> checkLargeOffsets(v);
      case BaseVariableWidthViewVector v ->
          requireBytes(v.getDataBuffer(), count * BaseVariableWidthViewVector.ELEMENT_SIZE, v);
      default -> throw unsupported(vector);
    }
    requireBits(vector.getValidityBuffer(), count, vector);
    if (vector instanceof BaseVariableWidthViewVector views) {
      checkViews(views);
    }
  }

  static StatusRuntimeException unsupported(FieldVector vector) {
    return FlightErrors.invalid(
        "parameters of the Arrow type %s are not supported: bind text and cast it"
            .formatted(vector.getField().getType()));
  }

  private static void checkOffsets(BaseVariableWidthVector vector) {
    int count = vector.getValueCount();
    if (count == 0) {
      return;
    }
    ArrowBuf offsets = vector.getOffsetBuffer();
    requireBytes(offsets, (count + 1L) * BaseVariableWidthVector.OFFSET_WIDTH, vector);
    int before = 0;
    for (long i = 0; i <= count; i++) {
      int offset = offsets.getInt(i * BaseVariableWidthVector.OFFSET_WIDTH);
      require(offset >= before, vector);
      before = offset;
    }
    requireBytes(vector.getDataBuffer(), before, vector);
  }

  private static void checkLargeOffsets(BaseLargeVariableWidthVector vector) {
    int count = vector.getValueCount();
    if (count == 0) {
      return;
    }
    ArrowBuf offsets = vector.getOffsetBuffer();
    requireBytes(offsets, (count + 1L) * BaseLargeVariableWidthVector.OFFSET_WIDTH, vector);
    long before = 0;
    for (long i = 0; i <= count; i++) {
      long offset = offsets.getLong(i * BaseLargeVariableWidthVector.OFFSET_WIDTH);
      require(offset >= before, vector);
      before = offset;
    }
    requireBytes(vector.getDataBuffer(), before, vector);
  }

  private static void checkViews(BaseVariableWidthViewVector vector) {
    ArrowBuf views = vector.getDataBuffer();
    for (int i = 0; i < vector.getValueCount(); i++) {
      if (vector.isNull(i)) {
        continue;
      }
      long view = (long) i * BaseVariableWidthViewVector.ELEMENT_SIZE;
      int length = views.getInt(view);
      require(length >= 0, vector);
      if (length > BaseVariableWidthViewVector.INLINE_SIZE) {
        // Length, prefix, number of the buffer, offset in it.
        int buffer = views.getInt(view + 2L * Integer.BYTES);
        int offset = views.getInt(view + 3L * Integer.BYTES);
        require(buffer >= 0 && buffer < vector.getDataBuffers().size() && offset >= 0, vector);
        requireBytes(vector.getDataBuffers().get(buffer), (long) offset + length, vector);
      }
    }
  }

  private static void requireBits(ArrowBuf buffer, long bits, FieldVector vector) {
    requireBytes(buffer, (bits + Byte.SIZE - 1) / Byte.SIZE, vector);
  }

  private static void requireBytes(ArrowBuf buffer, long bytes, FieldVector vector) {
    require(buffer.capacity() >= bytes, vector);
  }

  private static void require(boolean holds, FieldVector vector) {
    if (!holds) {
      throw FlightErrors.invalid(
          "the buffers of the column %s do not hold the values they announce"
              .formatted(vector.getName()));
    }
  }
}
