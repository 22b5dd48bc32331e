package com.lokryn.ducklake.engine;

import com.lokryn.ducklake.engine.EngineStatement.Typed;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/**
 * The Arrow type of each DuckDB type, learnt from DuckDB's own export: a mapping written down here
 * would be a second one. Types are asked for in one query and remembered. Thread-safe.
 */
public final class ArrowTypes {
  /** Far more than the distinct types of a lake; a bound all the same. */
  private static final int MAX_REMEMBERED = 10_000;

  /** What a value of a type that only its value can tell is announced as. */
  private static final Field UNKNOWN =
      new Field("", FieldType.nullable(new ArrowType.Utf8()), List.of());

  /** The driver names no members of an ENUM; one member gives the type that 255 of them have. */
  private static final Pattern BARE_ENUM = Pattern.compile("\\bENUM\\b(?!\\s*\\()");

  private final Map<String, Field> remembered = new ConcurrentHashMap<>();

  /** The schema of planned columns or parameters; what DuckDB could not type is text. */
  public Schema schema(EngineConnection connection, List<Typed> columns) throws EngineException {
    Map<String, Field> fields =
        fields(connection, columns.stream().map(Typed::type).filter(type -> type != null).toList());
    return new Schema(
        columns.stream().map(column -> field(column.name(), column.type(), fields)).toList());
  }

  private static Field field(String name, @Nullable String type, Map<String, Field> fields) {
    Field field = fieldOf(type, fields);
    return type == null ? named(name, field) : described(name, field, TypeFacts.of(type));
  }

  /** The fields, without names, of type texts such as {@code DECIMAL(10,2)}. */
  public Map<String, Field> fields(EngineConnection connection, Collection<@Nullable String> types)
      throws EngineException {
    var missing = new LinkedHashSet<String>();
    var known = new LinkedHashMap<String, Field>();
    for (String type : types) {
      if (type == null) {
        continue;
      }
      Field field = remembered.get(type);
      if (field == null) {
        missing.add(type);
      } else {
        known.put(type, field);
      }
    }
    if (!missing.isEmpty()) {
      known.putAll(ask(connection, List.copyOf(missing)));
    }
    return known;
  }

  /** The same field under another name. */
  public static Field named(String name, Field field) {
    return new Field(name, field.getFieldType(), field.getChildren());
  }

  /** The same field under another name and with facts beside those that it has. */
  public static Field described(String name, Field field, Map<String, String> facts) {
    return described(name, field, field.isNullable(), facts);
  }

  /** The same field under another name, with facts beside those that it has. */
  public static Field described(
      String name, Field field, boolean nullable, Map<String, String> facts) {
    var metadata = new LinkedHashMap<String, String>();
    if (field.getMetadata() != null) {
      metadata.putAll(field.getMetadata());
    }
    metadata.putAll(facts);
    return new Field(
        name,
        new FieldType(nullable, field.getType(), field.getDictionary(), metadata),
        field.getChildren());
  }

  private Map<String, Field> ask(EngineConnection connection, List<String> types)
      throws EngineException {
    var columns = new ArrayList<String>(types.size());
    for (String type : types) {
      columns.add("NULL::" + BARE_ENUM.matcher(type).replaceAll("ENUM('')"));
    }
    var answers = new LinkedHashMap<String, Field>();
    try (EngineStatement statement =
            connection.prepare(SqlText.of("SELECT " + String.join(", ", columns) + " LIMIT 0"));
        BatchStream stream = statement.executeQuery()) {
      List<Field> fields = stream.schema().getFields();
      for (int i = 0; i < types.size(); i++) {
        answers.put(types.get(i), fields.get(i));
      }
    } catch (EngineException e) {
      if (e.isInstanceLost() || e.error() == EngineError.INTERRUPTED) {
        throw e;
      }
      if (types.size() == 1) {
        // It cannot be exported, or not be written, as a struct without names: a run tells.
        answers.put(types.getFirst(), UNKNOWN);
      } else {
        // One such type must not hide the others.
        for (String type : types) {
          answers.putAll(ask(connection, List.of(type)));
        }
      }
    }
    if (remembered.size() < MAX_REMEMBERED) {
      remembered.putAll(answers);
    }
    return answers;
  }

  private static Field fieldOf(@Nullable String type, Map<String, Field> fields) {
    return type == null ? UNKNOWN : fields.getOrDefault(type, UNKNOWN);
  }
}
