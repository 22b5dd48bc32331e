package com.lokryn.ducklake.flight;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.UInt1Vector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.impl.UnionListWriter;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/** Writes small answers, row by row, in a canonical schema. */
final class RowWriter {
  private RowWriter() {}

  /**
   * @param rows one value per column: String, Long, Integer, Boolean, byte[], a list of strings, or
   *     null
   */
  static VectorSchemaRoot write(
      Schema schema,
      List<? extends List<? extends @Nullable Object>> rows,
      BufferAllocator allocator) {
    var root = VectorSchemaRoot.create(schema, allocator);
    try {
      fill(root, rows);
      return root;
    } catch (RuntimeException e) {
      root.close();
      throw e;
    }
  }

  /** Writes rows in the place of those that were there. */
  static void fill(VectorSchemaRoot root, List<? extends List<? extends @Nullable Object>> rows) {
    root.allocateNew();
    for (int column = 0; column < root.getFieldVectors().size(); column++) {
      FieldVector vector = root.getVector(column);
      for (int row = 0; row < rows.size(); row++) {
        set(vector, row, rows.get(row).get(column));
      }
    }
    root.setRowCount(rows.size());
  }

  private static void set(FieldVector vector, int row, @Nullable Object value) {
    if (value == null) {
      if (vector instanceof ListVector list) {
        list.setNull(row);
      } else {
        vector.setNull(row);
      }
      return;
    }
    switch (vector) {
      case VarCharVector v -> v.setSafe(row, ((String) value).getBytes(StandardCharsets.UTF_8));
      case VarBinaryVector v -> v.setSafe(row, (byte[]) value);
      case BigIntVector v -> v.setSafe(row, (Long) value);
      case IntVector v -> v.setSafe(row, (Integer) value);
      case UInt1Vector v -> v.setSafe(row, (Integer) value);
      case BitVector v -> v.setSafe(row, ((Boolean) value) ? 1 : 0);
      case ListVector v -> texts(v, row, (List<?>) value);
      default -> throw new IllegalArgumentException("no writer for " + vector.getField());
    }
  }

  private static void texts(ListVector vector, int row, List<?> values) {
    UnionListWriter writer = vector.getWriter();
    writer.setPosition(row);
    writer.startList();
    for (Object value : values) {
      writer.varChar().writeVarChar((String) value);
    }
    writer.endList();
  }
}
