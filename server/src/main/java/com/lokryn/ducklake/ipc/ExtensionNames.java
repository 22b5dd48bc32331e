package com.lokryn.ducklake.ipc;

import java.util.HashMap;
import java.util.Map;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Names of extension types in a schema. DuckDB believes them, and reads 16 bytes for each value of
 * an {@code arrow.uuid} whatever its storage is: a name that does not fit is taken off, and the
 * column is what its storage says.
 */
final class ExtensionNames {
  private static final String NAME = "ARROW:extension:name";
  private static final String METADATA = "ARROW:extension:metadata";
  private static final int UUID_BYTES = 16;

  private ExtensionNames() {}

  static Schema withoutUnfit(Schema schema) {
    return new Schema(
        schema.getFields().stream().map(ExtensionNames::withoutUnfit).toList(),
        schema.getCustomMetadata());
  }

  private static Field withoutUnfit(Field field) {
    Map<String, String> metadata = field.getMetadata();
    if (metadata.containsKey(NAME) && !fits(metadata.get(NAME), field)) {
      metadata = new HashMap<>(metadata);
      metadata.remove(NAME);
      metadata.remove(METADATA);
    }
    return new Field(
        field.getName(),
        new FieldType(field.isNullable(), field.getType(), field.getDictionary(), metadata),
        field.getChildren().stream().map(ExtensionNames::withoutUnfit).toList());
  }

  private static boolean fits(String name, Field field) {
    return switch (name) {
      case "arrow.uuid" ->
          field.getType() instanceof ArrowType.FixedSizeBinary binary
              && binary.getByteWidth() == UUID_BYTES;
      case "arrow.json" -> field.getType() instanceof ArrowType.Utf8;
      case "geoarrow.wkb", "ogc.wkb" -> field.getType() instanceof ArrowType.Binary;
      default -> false;
    };
  }
}
