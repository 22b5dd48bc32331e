package com.lokryn.ducklake.gate;

import com.fasterxml.jackson.databind.JsonNode;
import com.lokryn.ducklake.engine.SessionSettings;
import com.lokryn.ducklake.gate.Functions.Space;
import com.lokryn.ducklake.gate.Functions.Use;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Reads DuckDB's parse of a query. Every object of it is looked at, whatever it hangs on; what has
 * a type of which it is not known what it refers to is refused.
 */
final class SelectReader {
  /** What may stand where a table does. */
  private static final Set<String> TABLE_TYPES =
      Set.of(
          "BASE_TABLE",
          "SUBQUERY",
          "JOIN",
          "TABLE_FUNCTION",
          "EXPRESSION_LIST",
          "EMPTY",
          "PIVOT",
          "SHOW_REF");

  /** Expressions that stand for no function. */
  private static final Set<String> PLAIN =
      Set.of("", "CONSTANT", "PARAMETER", "CAST", "COLUMN_REF", "STAR", "CONJUNCTION");

  private static final Set<String> NODE_TYPES =
      Set.of("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE");

  /** Of what there is; nothing of it: SHOW TABLES FROM a schema. */
  private static final Set<String> SHOWN =
      Set.of("", "tables", "__show_tables_expanded", "schemas", "variables");

  private static final String NAME_KEY = "table_name";

  private final References references;

  private SelectReader(References references) {
    this.references = references;
  }

  /**
   * @param statements the array of that name in the parse
   */
  static void read(JsonNode statements, References references) {
    references.parsed();
    new SelectReader(references).walk(statements, Set.of());
  }

  /**
   * @param names of common table expressions that are in sight
   */
  private void walk(JsonNode json, Set<String> names) {
    if (json.isArray()) {
      json.forEach(element -> walk(element, names));
      return;
    }
    if (!json.isObject()) {
      return;
    }
    // A SUMMARIZE and a PIVOT are made of functions.
    if (!PLAIN.contains(text(json, "class")) || json.has("show_type") || json.has("pivots")) {
      references.mayCall();
    }
    switch (text(json, "class")) {
      case "FUNCTION", "WINDOW" -> {
        if (!showsSetting(json)) {
          references.scalar(
              text(json, "function_name"), text(json, "catalog"), text(json, "schema"));
        }
      }
      case "CAST" -> requireCastable(json.path("cast_type"));
      case "COLUMN_REF" -> {
        if (json.path("column_names").size() == 1) {
          references.column(json.path("column_names").path(0).asText());
        }
      }
      default -> {}
    }
    String type = text(json, "type");
    if (json.path("sample").isObject()) {
      references.mayVary();
    }
    if (json.has("from_table")) {
      requireKnown(NODE_TYPES, type);
      requireKnown(TABLE_TYPES, text(json.path("from_table"), "type"));
    }
    for (String side : new String[] {"left", "right", "source"}) {
      JsonNode table = json.path(side);
      if (table.isObject() && !table.has("class")) {
        String sideType = text(table, "type");
        if (!NODE_TYPES.contains(sideType)) {
          requireKnown(TABLE_TYPES, sideType);
        }
      }
    }
    switch (type) {
      case "BASE_TABLE" -> baseTable(json, names);
      case "TABLE_FUNCTION" -> tableFunction(json, names);
      case "SHOW_REF" -> show(json, names);
      case "RECURSIVE_CTE_NODE" -> {
        Set<String> inner = withOwn(json, names);
        walkBut(json, inner, "cte_map", "right");
        walk(json.path("right"), plus(inner, text(json, "cte_name")));
      }
      case "CTE_NODE" -> {
        walkBut(json, names, "child");
        walk(json.path("child"), plus(names, text(json, "cte_name")));
      }
      default -> walkBut(json, withOwn(json, names), "cte_map");
    }
  }

  private static void requireKnown(Set<String> known, String type) {
    if (!known.contains(type)) {
      throw new Refusal("the query has a part that is not known here: " + type);
    }
  }

  /** Reads the common table expressions of a node; the names that are in sight in it then. */
  private Set<String> withOwn(JsonNode node, Set<String> names) {
    Set<String> inner = names;
    for (JsonNode entry : node.path("cte_map").path("map")) {
      walk(entry.path("value"), inner);
      inner = plus(inner, text(entry, "key"));
    }
    return inner;
  }

  private static Set<String> plus(Set<String> names, String name) {
    var more = new HashSet<>(names);
    more.add(Name.fold(name));
    return more;
  }

  private void walkBut(JsonNode json, Set<String> names, String... keys) {
    Set<String> left = Set.of(keys);
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      if (!left.contains(field.getKey())) {
        walk(field.getValue(), names);
      }
    }
  }

  private void baseTable(JsonNode json, Set<String> names) {
    Name name =
        Name.of(text(json, "catalog_name"), text(json, "schema_name"), text(json, NAME_KEY));
    if (!name.isQualified() && names.contains(name.last())) {
      return;
    }
    references.relation(name, json.path("at_clause").isObject());
    walkBut(json, names);
  }

  private void tableFunction(JsonNode json, Set<String> names) {
    JsonNode function = json.path("function");
    Name name =
        Name.of(
            text(function, "catalog"), text(function, "schema"), text(function, "function_name"));
    references.table(name);
    JsonNode arguments = function.path("children");
    if (Functions.use(Space.TABLE, name.last()).filter(Use.FILES::equals).isPresent()) {
      paths(arguments.path(0));
    }
    // Its own name is not that of a function of values.
    arguments.forEach(argument -> walk(argument, names));
    walkBut(json, names, "function");
  }

  /** The files that a function reads: constants, one or a list of them. */
  private void paths(JsonNode argument) {
    if (text(argument, "class").equals("CONSTANT")
        && argument.path("value").path("value").isTextual()) {
      references.file(argument.path("value").path("value").textValue());
    } else if (text(argument, "function_name").equals("list_value")
        && !argument.path("children").isEmpty()) {
      argument.path("children").forEach(this::paths);
    } else {
      throw new Refusal("files are named by constants: a path, or a list of paths");
    }
  }

  private void show(JsonNode json, Set<String> names) {
    references.mayVary();
    if (json.path("query").isObject()) {
      walkBut(json, names);
      return;
    }
    String shown = Name.fold(text(json, NAME_KEY)).replace("\"", "");
    if (!SHOWN.contains(shown)) {
      throw new Refusal(
          "SHOW is for tables, all tables, schemas, variables, or the name of a table");
    }
    References.requireOpenCatalog(Name.fold(text(json, "catalog_name")));
    References.requireOpenCatalog(Name.fold(text(json, "schema_name")));
    references.list("SHOW");
  }

  /** A setting that may be shown, by a constant. */
  private static boolean showsSetting(JsonNode function) {
    JsonNode argument = function.path("children").path(0);
    return Name.fold(text(function, "function_name")).equals("current_setting")
        && text(argument, "class").equals("CONSTANT")
        && SessionSettings.isShown(argument.path("value").path("value").asText());
  }

  /** A cast of deep JSON to VARIANT ends the process (DuckDB 1.5.5). */
  private static void requireCastable(JsonNode type) {
    if (Name.fold(type.toString()).contains("\"variant\"")) {
      throw new Refusal("casts to VARIANT are not for statements of clients");
    }
  }

  private static String text(JsonNode json, String key) {
    return json.path(key).asText("");
  }
}
