package com.lokryn.ducklake.gate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.Sql;
import com.lokryn.ducklake.engine.SqlLexer;
import com.lokryn.ducklake.engine.SqlLexer.Kind;
import com.lokryn.ducklake.engine.SqlLexer.Token;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A query that makes its rows of those of one table of the lake, by expressions and a condition,
 * and does nothing else: as far as DuckDB's parse tells, in which an aggregate looks like any other
 * function. What is not known to be so is not.
 */
public final class TableScan {
  /** Columns that a table of the lake has besides its own, and a query of such a query has not. */
  static final Set<String> HIDDEN_COLUMNS =
      Set.of("rowid", "filename", "file_row_number", "file_index", "snapshot_id");

  /** What makes a value of the values in a row; functions are such, if they are no aggregates. */
  private static final Set<String> EXPRESSIONS =
      Set.of(
          "CONSTANT",
          "COLUMN_REF",
          "POSITIONAL_REFERENCE",
          "STAR",
          "FUNCTION",
          "CAST",
          "COMPARISON",
          "CONJUNCTION",
          "BETWEEN",
          "CASE",
          "OPERATOR",
          "COLLATE",
          "LAMBDA",
          "LAMBDA_REF");

  private static final String TABLE = "from_table";

  private final String sql;
  private final JsonNode node;
  private final Name name;
  private final List<String> written;
  private final int from;
  private final int to;

  private TableScan(String sql, JsonNode node, Name name, List<String> written, int from, int to) {
    this.sql = sql;
    this.node = node;
    this.name = name;
    this.written = written;
    this.from = from;
    this.to = to;
  }

  /**
   * Reads a query.
   *
   * @param namespace where its names are looked up
   * @return empty where it is another one, or not certain to be such
   */
  public static Optional<TableScan> of(String sql, Namespace namespace) throws EngineException {
    Optional<JsonNode> select = select(sql);
    if (select.isEmpty()) {
      return Optional.empty();
    }
    JsonNode node = select.get();
    JsonNode table = node.path(TABLE);
    List<String> written =
        Stream.of("catalog_name", "schema_name", "table_name")
            .map(part -> table.path(part).asText(""))
            .filter(part -> !part.isEmpty())
            .toList();
    Optional<Name> name = qualified(written, namespace);
    if (!isTable(table)
        || name.isEmpty()
        || !hasRowsOnly(node)
        || !isOfRow(node.path("select_list"), name.get())
        || !isOfRow(node.path("where_clause"), name.get())) {
      return Optional.empty();
    }
    int from = characters(sql, table.path("query_location").asLong(-1));
    int to = endOfName(sql, from, written);
    return to < 0
        ? Optional.empty()
        : Optional.of(new TableScan(sql, node, name.get(), written, from, to));
  }

  /** The schema of its table. */
  public String schema() {
    return name.parts().get(1);
  }

  /** The name of its table. */
  public String table() {
    return name.last();
  }

  /** Its table, wherever names are looked up. */
  public String qualifiedTable() {
    return String.join(".", name.parts().stream().map(Sql::identifier).toList());
  }

  /**
   * The text with a query in the place of the table, under the name that the table has in it.
   *
   * @param query of all columns of the table
   * @return empty unless DuckDB's parse differs in nothing but that
   */
  public Optional<String> over(String query) throws EngineException {
    boolean isNamed = !node.path(TABLE).path("alias").asText("").isEmpty();
    String alias = isNamed ? "" : " AS " + Sql.identifier(written.getLast());
    String text = sql.substring(0, from) + "(" + query + ")" + alias + sql.substring(to);
    Optional<JsonNode> wanted = select(query);
    return select(text)
            .filter(found -> wanted.isPresent() && isOver(found, wanted.get()))
            .isPresent()
        ? Optional.of(text)
        : Optional.empty();
  }

  private boolean isOver(JsonNode found, JsonNode query) {
    JsonNode table = node.path(TABLE);
    JsonNode replaced = found.path(TABLE);
    String alias = table.path("alias").asText(written.getLast());
    boolean isSame =
        replaced.path("type").asText().equals("SUBQUERY")
            && replaced.path("alias").asText().equals(alias)
            && replaced.path("column_name_alias").equals(table.path("column_name_alias"))
            && isEmpty(replaced.path("sample"))
            && unplaced(replaced.path("subquery").path("node")).equals(unplaced(query));
    ObjectNode restored = found.deepCopy();
    restored.set(TABLE, table);
    return isSame && unplaced(restored).equals(unplaced(node));
  }

  /** The node of a text that is one SELECT without parameters. */
  private static Optional<JsonNode> select(String sql) throws EngineException {
    JsonNode statements = StatementReader.parse(sql).path("statements");
    JsonNode statement = statements.path(0);
    return statements.size() == 1
            && isEmpty(statement.path("named_param_map"))
            && statement.path("node").path("type").asText().equals("SELECT_NODE")
        ? Optional.of(statement.path("node"))
        : Optional.empty();
  }

  /** No groups, order, limit, sample, common table expressions, or what may come to be. */
  private static boolean hasRowsOnly(JsonNode node) {
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      boolean isKnown =
          switch (field.getKey()) {
            case "type", "select_list", "where_clause", TABLE -> true;
            case "aggregate_handling" -> field.getValue().asText().equals("STANDARD_HANDLING");
            default -> isEmpty(field.getValue());
          };
      if (!isKnown) {
        return false;
      }
    }
    return true;
  }

  private static boolean isTable(JsonNode table) {
    return table.path("type").asText().equals("BASE_TABLE")
        && isEmpty(table.path("sample"))
        && isEmpty(table.path("at_clause"));
  }

  private static boolean isEmpty(JsonNode json) {
    if (json.isContainerNode()) {
      for (JsonNode element : json) {
        if (!isEmpty(element)) {
          return false;
        }
      }
      return true;
    }
    return json.isNull() || json.isMissingNode();
  }

  /** The table's name with all three parts, if it is one of the lake's. */
  private static Optional<Name> qualified(List<String> written, Namespace namespace) {
    if (written.isEmpty()) {
      return Optional.empty();
    }
    boolean isInLake = Name.fold(namespace.catalog()).equals(Name.LAKE);
    String first = Name.fold(written.getFirst());
    return switch (written.size()) {
      case 1 ->
          isInLake
              ? Optional.of(Name.of(Name.LAKE, namespace.schema(), written.get(0)))
              : Optional.empty();
      // What lake.t means depends on the schema that names are looked up in.
      case 2 ->
          isInLake && !first.equals(Name.LAKE) && !first.equals(Name.TEMPORARY)
              ? Optional.of(Name.of(Name.LAKE, written.get(0), written.get(1)))
              : Optional.empty();
      default ->
          first.equals(Name.LAKE)
              ? Optional.of(Name.of(Name.LAKE, written.get(1), written.get(2)))
              : Optional.empty();
    };
  }

  /** Is it made of the columns of the table alone, which it names so that a query has them too? */
  private static boolean isOfRow(JsonNode json, Name table) {
    if (json.isArray()) {
      for (JsonNode element : json) {
        if (!isOfRow(element, table)) {
          return false;
        }
      }
      return true;
    }
    if (!json.isObject()) {
      return true;
    }
    boolean isKnown =
        !json.has("class")
            || (EXPRESSIONS.contains(json.path("class").asText())
                // Of aggregates.
                && !json.path("distinct").asBoolean()
                && isEmpty(json.path("filter"))
                && isEmpty(json.path("order_bys").path("orders")));
    if (!isKnown || !isColumn(json.path("column_names"), table)) {
      return false;
    }
    for (JsonNode field : json) {
      if (!isOfRow(field, table)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isColumn(JsonNode parts, Name table) {
    for (JsonNode part : parts) {
      if (HIDDEN_COLUMNS.contains(Name.fold(part.asText()))) {
        return false;
      }
    }
    // A schema or catalog before the table's name; in a query it could be a column of a struct.
    String first = Name.fold(parts.path(0).asText());
    return parts.size() < 3 || !(first.equals(Name.LAKE) || first.equals(table.parts().get(1)));
  }

  /** Where the parse says that something is, in characters: it counts bytes of UTF-8. */
  private static int characters(String sql, long bytes) {
    byte[] utf8 = sql.getBytes(StandardCharsets.UTF_8);
    return bytes < 0 || bytes > utf8.length
        ? -1
        : new String(utf8, 0, (int) bytes, StandardCharsets.UTF_8).length();
  }

  /** Where a name ends that begins there, or -1 where it does not. */
  private static int endOfName(String sql, int from, List<String> written) {
    List<Token> tokens = SqlLexer.all(sql);
    int at = 0;
    while (at < tokens.size() && tokens.get(at).start() != from) {
      at++;
    }
    for (int part = 0; part < written.size(); part++, at++) {
      if (part > 0) {
        if (at >= tokens.size() || !SqlLexer.text(sql, tokens.get(at)).equals(".")) {
          return -1;
        }
        at++;
      }
      if (at >= tokens.size() || !isName(sql, tokens.get(at), written.get(part))) {
        return -1;
      }
    }
    Token last = tokens.get(at - 1);
    return last.to() + (last.kind() == Kind.QUOTED_NAME ? 1 : 0);
  }

  private static boolean isName(String sql, Token token, String name) {
    return (token.kind() == Kind.WORD || token.kind() == Kind.QUOTED_NAME)
        && SqlLexer.isPlain(sql, token)
        && Name.fold(SqlLexer.text(sql, token)).equals(Name.fold(name));
  }

  /** The same without what says where in the text something is. */
  private static JsonNode unplaced(JsonNode json) {
    if (json.isObject()) {
      ObjectNode copy = ((ObjectNode) json).objectNode();
      json.properties().stream()
          .filter(field -> !field.getKey().equals("query_location"))
          .forEach(field -> copy.set(field.getKey(), unplaced(field.getValue())));
      return copy;
    }
    if (json.isArray()) {
      ArrayNode copy = ((ArrayNode) json).arrayNode();
      json.forEach(element -> copy.add(unplaced(element)));
      return copy;
    }
    return json;
  }
}
