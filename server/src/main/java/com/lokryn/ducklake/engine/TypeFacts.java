package com.lokryn.ducklake.engine;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * What the text of a DuckDB type tells that its Arrow type does not, as field metadata under the
 * names that Flight SQL gives it.
 */
public final class TypeFacts {
  public static final String PREFIX = "ARROW:FLIGHT:SQL:";

  private static final Pattern DECIMAL = Pattern.compile("DECIMAL\\((\\d+),\\s*(\\d+)\\)");

  /** Digits of the types that hold integers. */
  private static final Map<String, Integer> DIGITS =
      Map.of(
          "TINYINT", 3,
          "UTINYINT", 3,
          "SMALLINT", 5,
          "USMALLINT", 5,
          "INTEGER", 10,
          "UINTEGER", 10,
          "BIGINT", 19,
          "UBIGINT", 20,
          "HUGEINT", 38);

  private TypeFacts() {}

  /** The facts of a type such as {@code DECIMAL(10,2)}. */
  public static Map<String, String> of(String type) {
    var facts = new LinkedHashMap<String, String>();
    facts.put(PREFIX + "TYPE_NAME", type);
    Matcher decimal = DECIMAL.matcher(type);
    Integer digits = DIGITS.get(type);
    if (decimal.matches()) {
      facts.put(PREFIX + "PRECISION", decimal.group(1));
      facts.put(PREFIX + "SCALE", decimal.group(2));
    } else if (digits != null) {
      facts.put(PREFIX + "PRECISION", digits.toString());
      facts.put(PREFIX + "SCALE", "0");
    }
    facts.put(PREFIX + "IS_CASE_SENSITIVE", flag(isText(type)));
    facts.put(PREFIX + "IS_SEARCHABLE", flag(true));
    return facts;
  }

  /** True when values of some column, or of a field of one, lie in a dictionary. */
  public static boolean hasDictionary(Schema schema) {
    return hasDictionary(schema.getFields());
  }

  private static boolean hasDictionary(List<Field> fields) {
    return fields.stream()
        .anyMatch(field -> field.getDictionary() != null || hasDictionary(field.getChildren()));
  }

  /** A schema without these facts: as the batches of a run have it. */
  public static Schema without(Schema schema) {
    return new Schema(
        schema.getFields().stream().map(TypeFacts::without).toList(), schema.getCustomMetadata());
  }

  private static Field without(Field field) {
    var metadata = new LinkedHashMap<>(field.getMetadata());
    metadata.keySet().removeIf(key -> key.startsWith(PREFIX));
    return new Field(
        field.getName(),
        new FieldType(field.isNullable(), field.getType(), field.getDictionary(), metadata),
        field.getChildren());
  }

  /** A yes or no as Flight SQL writes it. */
  public static String flag(boolean is) {
    return is ? "1" : "0";
  }

  private static boolean isText(String type) {
    return type.equals("VARCHAR") || type.equals("JSON") || isEnum(type);
  }

  private static boolean isEnum(String type) {
    return type.startsWith("ENUM") && type.endsWith(")");
  }
}
