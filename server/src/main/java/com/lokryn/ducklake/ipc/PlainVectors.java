package com.lokryn.ducklake.ipc;

import java.util.List;
import java.util.function.LongFunction;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float2Vector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.ViewVarBinaryVector;
import org.apache.arrow.vector.ViewVarCharVector;
import org.apache.arrow.vector.complex.RunEndEncodedVector;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;

/**
 * Brings columns into the form in which each row has its value in place: without dictionaries,
 * whose indices and changes DuckDB does not check (1.5.5 takes a dictionary at the address of an
 * earlier one for the same), without views and runs; and in a type that DuckDB has: it knows no
 * floats of 16 bits, and ends with an internal error where the scale of a decimal is negative. What
 * is plain already changes over by reference.
 */
final class PlainVectors {
  /** DuckDB takes no wider ones. */
  private static final int DECIMAL_BITS = 128;

  /** The values of dictionaries by their number, plain themselves. */
  private final LongFunction<FieldVector> dictionaries;

  PlainVectors(LongFunction<FieldVector> dictionaries) {
    this.dictionaries = dictionaries;
  }

  static boolean isPlain(Field field) {
    return field.getDictionary() == null
        && !isWrapped(field.getType())
        && !isWidened(field.getType())
        && field.getChildren().stream().allMatch(PlainVectors::isPlain);
  }

  private static boolean isWrapped(ArrowType type) {
    return BatchStructure.isView(type) || type instanceof ArrowType.RunEndEncoded;
  }

  private static boolean isWidened(ArrowType type) {
    return isHalf(type) || isOfNegativeScale(type);
  }

  private static boolean isHalf(ArrowType type) {
    return type instanceof ArrowType.FloatingPoint number
        && number.getPrecision() == FloatingPointPrecision.HALF;
  }

  static boolean isOfNegativeScale(ArrowType type) {
    return type instanceof ArrowType.Decimal number
        && number.getScale() < 0
        && number.getBitWidth() == DECIMAL_BITS;
  }

  /** The field of the same values in plain form. */
  Field plain(Field field) {
    if (field.getDictionary() != null) {
      Field values = dictionaries.apply(field.getDictionary().getId()).getField();
      return named(field, values.getType(), values.getChildren());
    }
    return switch (field.getType()) {
      case ArrowType.Utf8View _ -> named(field, ArrowType.Utf8.INSTANCE, List.of());
      case ArrowType.BinaryView _ -> named(field, ArrowType.Binary.INSTANCE, List.of());
      case ArrowType.RunEndEncoded _ -> {
        Field values = plain(field.getChildren().getLast());
        yield named(field, values.getType(), values.getChildren());
      }
      case ArrowType.FloatingPoint type when isHalf(type) ->
          named(field, new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE), List.of());
      case ArrowType.Decimal type when isOfNegativeScale(type) ->
          named(field, wholeNumbers(type), List.of());
      default ->
          named(field, field.getType(), field.getChildren().stream().map(this::plain).toList());
    };
  }

  private static ArrowType.Decimal wholeNumbers(ArrowType.Decimal type) {
    return new ArrowType.Decimal(type.getPrecision() - type.getScale(), 0, type.getBitWidth());
  }

  private static Field named(Field field, ArrowType type, List<Field> children) {
    return new Field(
        field.getName(),
        new FieldType(field.isNullable(), type, null, field.getMetadata()),
        children);
  }

  /** Moves the values of a vector over to one of its {@link #plain} field. */
  void move(FieldVector source, FieldVector target) {
    Field field = source.getField();
    if (field.getDictionary() != null) {
      look(source, dictionaries.apply(field.getDictionary().getId()), target);
    } else if (isPlain(field)) {
      source.makeTransferPair(target).transfer();
    } else {
      switch (source) {
        case ViewVarCharVector views -> unwrap(views, (VarCharVector) target);
        case ViewVarBinaryVector views -> unwrap(views, (VarBinaryVector) target);
        case RunEndEncodedVector runs -> repeat(runs, target);
        case Float2Vector halves -> widen(halves, (Float4Vector) target);
        case DecimalVector numbers -> widen(numbers, (DecimalVector) target);
        default -> nested(source, target);
      }
    }
  }

  private void nested(FieldVector source, FieldVector target) {
    target.loadFieldBuffers(
        new ArrowFieldNode(source.getValueCount(), source.getNullCount()),
        source.getFieldBuffers());
    List<FieldVector> from = source.getChildrenFromFields();
    List<FieldVector> to = target.getChildrenFromFields();
    for (int i = 0; i < from.size(); i++) {
      move(from.get(i), to.get(i));
    }
  }

  private static void look(FieldVector indices, FieldVector values, FieldVector target) {
    var index = (BaseIntVector) indices;
    int rows = indices.getValueCount();
    int known = values.getValueCount();
    target.setInitialCapacity(rows);
    for (int row = 0; row < rows; row++) {
      if (indices.isNull(row)) {
        target.setNull(row);
        continue;
      }
      long at = index.getValueAsLong(row);
      if (at < 0 || at >= known) {
        throw IpcException.malformed(
            "row %d of column %s refers to entry %s of a dictionary of %d"
                .formatted(row, indices.getName(), Long.toUnsignedString(at), known));
      }
      target.copyFromSafe((int) at, row, values);
    }
    target.setValueCount(rows);
  }

  private static void unwrap(ViewVarCharVector views, VarCharVector target) {
    for (int row = 0; row < views.getValueCount(); row++) {
      if (!views.isNull(row)) {
        target.setSafe(row, views.get(row));
      }
    }
    target.setValueCount(views.getValueCount());
  }

  private static void unwrap(ViewVarBinaryVector views, VarBinaryVector target) {
    for (int row = 0; row < views.getValueCount(); row++) {
      if (!views.isNull(row)) {
        target.setSafe(row, views.get(row));
      }
    }
    target.setValueCount(views.getValueCount());
  }

  private static void widen(Float2Vector halves, Float4Vector target) {
    for (int row = 0; row < halves.getValueCount(); row++) {
      if (!halves.isNull(row)) {
        target.setSafe(row, halves.getValueAsFloat(row));
      }
    }
    target.setValueCount(halves.getValueCount());
  }

  private static void widen(DecimalVector numbers, DecimalVector target) {
    for (int row = 0; row < numbers.getValueCount(); row++) {
      if (!numbers.isNull(row)) {
        target.setSafe(row, numbers.getObject(row).setScale(0));
      }
    }
    target.setValueCount(numbers.getValueCount());
  }

  private void repeat(RunEndEncodedVector runs, FieldVector target) {
    int rows = runs.getValueCount();
    var ends = (BaseIntVector) runs.getRunEndsVector();
    FieldVector packed = runs.getValuesVector();
    try (FieldVector values = plain(packed.getField()).createVector(target.getAllocator())) {
      move(packed, values);
      int row = 0;
      for (int run = 0; row < rows; run++) {
        long end = run < runs.getRunEndsVector().getValueCount() ? ends.getValueAsLong(run) : row;
        if (end <= row || run >= values.getValueCount()) {
          throw IpcException.malformed(
              "the runs of column %s do not add up to its rows".formatted(runs.getName()));
        }
        for (; row < Math.min(rows, end); row++) {
          target.copyFromSafe(run, row, values);
        }
      }
      target.setValueCount(rows);
    }
  }
}
