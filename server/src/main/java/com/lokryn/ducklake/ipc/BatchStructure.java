package com.lokryn.ducklake.ipc;

import java.util.List;
import org.apache.arrow.flatbuf.Buffer;
import org.apache.arrow.flatbuf.FieldNode;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.vector.BufferLayout;
import org.apache.arrow.vector.BufferLayout.BufferType;
import org.apache.arrow.vector.TypeLayout;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;

/**
 * Holds what a record batch says of itself against the bytes that came with it, before vectors are
 * made: each buffer lies inside of the body and is long enough for the rows that it is said to
 * have. What the buffers hold is for {@link BatchValues}.
 */
final class BatchStructure {
  private static final int VIEW_BYTES = 16;

  /**
   * Bitmaps that are left out are made by the reader: bytes that the sender did not have to send.
   */
  private static final long FREE_BITMAP_BYTES = 64L << 20;

  private final RecordBatch batch;
  private final long bodyBytes;
  private int node;
  private int buffer;
  private int variadic;
  private long bitmapBytes;

  private BatchStructure(RecordBatch batch, long bodyBytes) {
    this.batch = batch;
    this.bodyBytes = bodyBytes;
  }

  /**
   * @param fields the columns, those with a dictionary as their indices
   */
  static void require(RecordBatch batch, List<Field> fields, long bodyBytes) {
    if (batch.compression() != null) {
      throw IpcException.unsupported(
          "compressed batches are not taken in: send them without compression of buffers");
    }
    if (batch.length() < 0 || batch.length() > Integer.MAX_VALUE - 1) {
      throw IpcException.malformed("a batch of %d rows".formatted(batch.length()));
    }
    var check = new BatchStructure(batch, bodyBytes);
    for (Field field : fields) {
      long rows = check.field(field, batch.length());
      if (rows != batch.length()) {
        throw IpcException.malformed(
            "column %s has %d rows in a batch of %d"
                .formatted(field.getName(), rows, batch.length()));
      }
    }
    if (check.bitmapBytes > Math.max(FREE_BITMAP_BYTES, 4 * bodyBytes)) {
      throw IpcException.tooLarge(
          "a batch of %d rows that hold next to nothing: send fewer rows in a batch"
              .formatted(batch.length()));
    }
  }

  /** Returns the rows of the field, which are at least those that are needed. */
  private long field(Field field, long needed) {
    if (node >= batch.nodesLength()) {
      throw missing(field);
    }
    FieldNode own = batch.nodes(node++);
    long rows = own.length();
    long nulls = own.nullCount();
    if (rows < needed || rows > Integer.MAX_VALUE - 1 || nulls < 0 || nulls > rows) {
      throw IpcException.malformed(
          "column %s says that it has %d rows and %d nulls, where %d rows are needed"
              .formatted(field.getName(), rows, nulls, needed));
    }
    ArrowType type = storage(field.getType());
    for (BufferLayout layout : TypeLayout.getTypeLayout(type).getBufferLayouts()) {
      long bytes = nextBuffer(field);
      if (layout.getType() == BufferType.VALIDITY) {
        boolean isMade = nulls == 0 || nulls == rows;
        bitmapBytes += isMade ? rows / 8 : 0;
        requireBytes(field, isMade ? 0 : (rows + 7) / 8, bytes);
      } else {
        requireBytes(field, neededBytes(type, layout, rows), bytes);
      }
    }
    if (isView(type)) {
      skipVariadic(field);
    }
    for (Field child : field.getChildren()) {
      field(child, neededRows(type, rows));
    }
    return rows;
  }

  /** How many rows a child has to have at least; lists say it by their offsets. */
  private static long neededRows(ArrowType type, long rows) {
    return switch (type) {
      case ArrowType.Struct _ -> rows;
      case ArrowType.FixedSizeList list -> rows * list.getListSize();
      case ArrowType.Union union when union.getMode() == UnionMode.Sparse -> rows;
      default -> 0;
    };
  }

  private static long neededBytes(ArrowType type, BufferLayout layout, long rows) {
    if (isView(type)) {
      return rows * VIEW_BYTES;
    }
    return switch (layout.getType()) {
      case OFFSET ->
          type instanceof ArrowType.Union
              ? rows * layout.getTypeBitWidth() / 8
              : rows == 0 ? 0 : (rows + 1) * layout.getTypeBitWidth() / 8;
      case DATA ->
          switch (type) {
            // As long as the offsets say.
            case ArrowType.Utf8 _,
                ArrowType.LargeUtf8 _,
                ArrowType.Binary _,
                ArrowType.LargeBinary _ ->
                0;
            // Its layout says it in a short, which is not enough for wide ones.
            case ArrowType.FixedSizeBinary binary -> rows * binary.getByteWidth();
            default -> Math.ceilDiv(Math.multiplyExact(rows, (long) layout.getTypeBitWidth()), 8L);
          };
      default -> rows;
    };
  }

  private long nextBuffer(Field field) {
    if (buffer >= batch.buffersLength()) {
      throw missing(field);
    }
    Buffer found = batch.buffers(buffer++);
    long offset = found.offset();
    long length = found.length();
    if (offset < 0 || length < 0 || offset > bodyBytes || length > bodyBytes - offset) {
      throw IpcException.malformed(
          "a buffer of column %s lies outside of the message".formatted(field.getName()));
    }
    return length;
  }

  private void skipVariadic(Field field) {
    if (variadic >= batch.variadicBufferCountsLength()) {
      throw missing(field);
    }
    long count = batch.variadicBufferCounts(variadic++);
    if (count < 0 || count > batch.buffersLength()) {
      throw missing(field);
    }
    for (long i = 0; i < count; i++) {
      nextBuffer(field);
    }
  }

  private static void requireBytes(Field field, long needed, long bytes) {
    if (bytes < needed) {
      throw IpcException.malformed(
          "a buffer of column %s has %d bytes where %d are needed"
              .formatted(field.getName(), bytes, needed));
    }
  }

  private static IpcException missing(Field field) {
    return IpcException.malformed(
        "the batch has fewer buffers than column %s needs".formatted(field.getName()));
  }

  static boolean isView(ArrowType type) {
    return type instanceof ArrowType.Utf8View || type instanceof ArrowType.BinaryView;
  }

  static ArrowType storage(ArrowType type) {
    return type instanceof ArrowType.ExtensionType extension ? extension.storageType() : type;
  }
}
