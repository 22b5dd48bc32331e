package com.lokryn.ducklake.flight;

import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/** The parameters of a prepared statement as a client is told of them: as it may bind them. */
final class ParameterSchema {
  private ParameterSchema() {}

  /**
   * What is taken as text only is announced as text.
   *
   * @param inMillis for the JDBC driver, whose setters write milliseconds in whatever unit a time
   *     or a timestamp has (18.3.0: TimestampAvaticaParameterConverter, TimeAvaticaParameter-
   *     Converter); another client would lose its microseconds
   */
  static Schema announced(Schema parameters, boolean inMillis) {
    return new Schema(
        parameters.getFields().stream().map(field -> announced(field, inMillis)).toList());
  }

  private static Field announced(Field field, boolean inMillis) {
    ArrowType type = field.getType();
    if (field.getDictionary() != null || type.isComplex()) {
      return of(field, new ArrowType.Utf8());
    }
    return switch (type) {
      case ArrowType.Interval _, ArrowType.Duration _ -> of(field, new ArrowType.Utf8());
      case ArrowType.Timestamp timestamp when inMillis ->
          of(field, new ArrowType.Timestamp(TimeUnit.MILLISECOND, timestamp.getTimezone()));
      case ArrowType.Time _ when inMillis ->
          of(field, new ArrowType.Time(TimeUnit.MILLISECOND, Integer.SIZE));
      default -> field;
    };
  }

  private static Field of(Field field, ArrowType type) {
    return new Field(
        field.getName(), new FieldType(field.isNullable(), type, null, field.getMetadata()), null);
  }
}
