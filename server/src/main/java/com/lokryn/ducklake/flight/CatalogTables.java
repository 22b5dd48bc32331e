package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.engine.ArrowTypes;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.TypeFacts;
import com.lokryn.ducklake.query.ServerTables;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Catalogs, schemas and tables. Tables are found by their columns: {@code duckdb_tables()} looks at
 * the files of every table of the lake, which takes a millisecond or more for each.
 */
final class CatalogTables {
  /**
   * What a client sees: the lake, what its own session made for the while, and what shows the
   * server's work.
   */
  static final String VISIBLE = "database_name IN ('lake', 'temp', 'server')";

  private static final String VIEW = "VIEW";

  /** In the order of the answer. */
  static final List<String> TYPES = List.of("LOCAL TEMPORARY", "TABLE", VIEW);

  private static final String VIEWS =
      "SELECT database_name, schema_name, view_name AS table_name, comment FROM duckdb_views()"
          + " WHERE NOT internal";

  /** What the views of the catalog server are of is no table of the client's. */
  private static final String NOT_OURS =
      " AND NOT starts_with(table_name, '%s')".formatted(ServerTables.PREFIX);

  private static final String COLUMNS =
      "SELECT * FROM duckdb_columns() WHERE NOT internal AND " + VISIBLE + NOT_OURS;

  private static final String TABLES =
      ("SELECT database_name, schema_name, table_name, table_type FROM ("
              + "SELECT DISTINCT database_name, schema_name, table_name,"
              + " if(database_name = 'temp', 'LOCAL TEMPORARY', 'TABLE') AS table_type"
              + " FROM (%1$s) ANTI JOIN (%2$s)"
              + " USING (database_name, schema_name, table_name)"
              + " UNION ALL SELECT database_name, schema_name, table_name, 'VIEW' FROM (%2$s))")
          .formatted(COLUMNS, VIEWS);

  /** A session's temporary catalog is listed while there is something in it. */
  private static final String SCHEMAS =
      ("SELECT database_name, schema_name FROM (SELECT DISTINCT database_name, schema_name"
              + " FROM duckdb_schemas() WHERE database_name IN ('lake', 'server') AND NOT internal UNION"
              + " SELECT database_name, schema_name FROM (%s) WHERE database_name = 'temp' UNION"
              + " SELECT database_name, schema_name FROM (%s) WHERE database_name = 'temp')")
          .formatted(COLUMNS, VIEWS);

  /**
   * Comments on tables that were committed, of tables that are there. DuckDB's own functions give
   * them only together with the size of each table.
   */
  private static final String TABLE_COMMENTS =
      "SELECT s.schema_name, t.table_name, g.value FROM __ducklake_metadata_lake.ducklake_tag g"
          + " JOIN __ducklake_metadata_lake.ducklake_table t ON t.table_id = g.object_id"
          + " JOIN __ducklake_metadata_lake.ducklake_schema s ON s.schema_id = t.schema_id"
          + " WHERE g.key = 'comment' AND g.end_snapshot IS NULL AND t.end_snapshot IS NULL"
          + " AND s.end_snapshot IS NULL";

  private final ArrowTypes types;

  CatalogTables(ArrowTypes types) {
    this.types = types;
  }

  static List<List<String>> catalogs(EngineConnection connection) throws EngineException {
    var names = new TreeSet<String>(List.of("lake", "server"));
    for (List<String> schema : connection.rows(SCHEMAS)) {
      names.add(schema.getFirst());
    }
    return names.stream().map(List::of).toList();
  }

  static List<List<String>> schemas(
      EngineConnection connection, FlightSql.CommandGetDbSchemas filter) throws EngineException {
    var where =
        new CatalogFilter(VISIBLE)
            .like("database_name", filter.hasCatalog(), filter.getCatalog())
            .like(
                "schema_name",
                filter.hasDbSchemaFilterPattern(),
                filter.getDbSchemaFilterPattern());
    return connection.rows(SCHEMAS + where.sql() + " ORDER BY ALL", where.parameters());
  }

  List<List<@Nullable Object>> tables(
      EngineConnection connection, FlightSql.CommandGetTables filter) throws EngineException {
    CatalogFilter where = names(filter).oneOf("table_type", filter.getTableTypesList());
    List<List<String>> found =
        connection.rows(TABLES + where.sql() + " ORDER BY ALL", where.parameters());
    Map<List<String>, Schema> schemas =
        filter.getIncludeSchema() && !found.isEmpty()
            ? tableSchemas(connection, filter, found)
            : Map.of();
    var rows = new ArrayList<List<@Nullable Object>>(found.size());
    for (List<String> table : found) {
      var row = new ArrayList<@Nullable Object>(table);
      if (filter.getIncludeSchema()) {
        row.add(SchemaBytes.array(schemas.getOrDefault(name(table), new Schema(List.of()))));
      }
      rows.add(row);
    }
    return rows;
  }

  private static CatalogFilter names(FlightSql.CommandGetTables filter) {
    return new CatalogFilter(VISIBLE)
        .like("database_name", filter.hasCatalog(), filter.getCatalog())
        .like("schema_name", filter.hasDbSchemaFilterPattern(), filter.getDbSchemaFilterPattern())
        .like("table_name", filter.hasTableNameFilterPattern(), filter.getTableNameFilterPattern());
  }

  private Map<List<String>, Schema> tableSchemas(
      EngineConnection connection, FlightSql.CommandGetTables filter, List<List<String>> tables)
      throws EngineException {
    var tableTypes = new HashMap<List<String>, String>();
    tables.forEach(table -> tableTypes.put(name(table), table.get(3)));
    CatalogFilter where = names(filter);
    List<List<@Nullable String>> columns =
        connection.rows(
            "SELECT database_name, schema_name, table_name, column_name, data_type, is_nullable,"
                + " comment, column_default FROM ("
                + COLUMNS
                + ")"
                + where.sql()
                + " ORDER BY database_name, schema_name, table_name, column_index",
            where.parameters());
    Map<String, Field> fields =
        types.fields(connection, columns.stream().map(column -> column.get(4)).distinct().toList());
    var grouped = new LinkedHashMap<List<String>, List<Field>>();
    for (List<@Nullable String> column : columns) {
      List<String> table = name(column);
      String tableType = tableTypes.get(table);
      if (tableType != null) {
        grouped
            .computeIfAbsent(table, _ -> new ArrayList<>())
            .add(field(column, fields, tableType.equals(VIEW)));
      }
    }
    Map<List<String>, String> comments = comments(connection);
    var schemas = new HashMap<List<String>, Schema>();
    grouped.forEach(
        (table, list) -> {
          String comment = comments.get(table);
          schemas.put(
              table,
              new Schema(
                  list, comment == null ? null : Map.of(TypeFacts.PREFIX + "REMARKS", comment)));
        });
    return schemas;
  }

  private static List<String> name(List<? extends @Nullable String> row) {
    return List.of(
        String.valueOf(row.get(0)), String.valueOf(row.get(1)), String.valueOf(row.get(2)));
  }

  private static Field field(
      List<@Nullable String> column, Map<String, Field> fields, boolean isView) {
    String type = String.valueOf(column.get(4));
    String fallback = column.get(7);
    var facts = new LinkedHashMap<String, String>();
    facts.put(TypeFacts.PREFIX + "CATALOG_NAME", String.valueOf(column.get(0)));
    // The protocol's text and its implementations have different names for the same.
    facts.put(TypeFacts.PREFIX + "SCHEMA_NAME", String.valueOf(column.get(1)));
    facts.put(TypeFacts.PREFIX + "DB_SCHEMA_NAME", String.valueOf(column.get(1)));
    facts.put(TypeFacts.PREFIX + "TABLE_NAME", String.valueOf(column.get(2)));
    facts.putAll(TypeFacts.of(type));
    facts.put(
        TypeFacts.PREFIX + "IS_AUTO_INCREMENT",
        TypeFacts.flag(fallback != null && fallback.startsWith("nextval(")));
    facts.put(TypeFacts.PREFIX + "IS_READ_ONLY", TypeFacts.flag(isView));
    String comment = column.get(6);
    if (comment != null) {
      facts.put(TypeFacts.PREFIX + "REMARKS", comment);
    }
    // DuckLake writes NULL for a column that has no default.
    if (fallback != null && !fallback.equals("NULL")) {
      facts.put(TypeFacts.PREFIX + "COLUMN_DEFAULT", fallback);
    }
    return ArrowTypes.described(
        String.valueOf(column.get(3)),
        Objects.requireNonNull(fields.get(type)),
        Boolean.parseBoolean(column.get(5)),
        facts);
  }

  private static Map<List<String>, String> comments(EngineConnection connection)
      throws EngineException {
    var comments = new HashMap<List<String>, String>();
    for (List<String> view :
        connection.rows("SELECT * FROM (" + VIEWS + ") WHERE comment IS NOT NULL")) {
      comments.put(name(view), view.get(3));
    }
    try {
      for (List<String> table : connection.rows(TABLE_COMMENTS)) {
        comments.put(List.of("lake", table.get(0), table.get(1)), table.get(2));
      }
    } catch (EngineException e) {
      if (e.isInstanceLost() || e.error() == EngineError.INTERRUPTED) {
        throw e;
      }
      // Remarks are no reason to hide the tables.
    }
    return comments;
  }
}
