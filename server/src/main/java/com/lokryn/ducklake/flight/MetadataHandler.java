package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.engine.ArrowTypes;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.query.QueryService;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.apache.arrow.flight.sql.FlightSqlColumnMetadata;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/** Questions about the catalog, answered in the canonical schemas of Flight SQL. */
final class MetadataHandler {
  /** What a client sees: the lake, and what its own session made for the while. */
  private static final String VISIBLE = "database_name IN ('lake', 'temp')";

  private static final List<String> TABLE_TYPES = List.of("TABLE", "VIEW", "LOCAL TEMPORARY");

  private static final String TABLES =
      "SELECT database_name, schema_name, table_name, table_type FROM ("
          + "SELECT database_name, schema_name, table_name,"
          + " CASE WHEN temporary THEN 'LOCAL TEMPORARY' ELSE 'TABLE' END AS table_type"
          + " FROM duckdb_tables() WHERE NOT internal UNION ALL"
          + " SELECT database_name, schema_name, view_name, 'VIEW'"
          + " FROM duckdb_views() WHERE NOT internal)";

  private final QueryService queries;
  private final ServerInfo info;
  private final ArrowTypes types;
  private final BufferAllocator allocator;

  MetadataHandler(
      QueryService queries, ServerInfo info, ArrowTypes types, BufferAllocator allocator) {
    this.queries = queries;
    this.info = info;
    this.types = types;
    this.allocator = allocator;
  }

  VectorSchemaRoot answer(MetadataQuestion question, Call call) throws EngineException {
    return switch (question) {
      case MetadataQuestion.Catalogs _ -> write(question, List.of(List.of("lake")));
      case MetadataQuestion.TableTypes _ ->
          write(question, TABLE_TYPES.stream().map(List::of).toList());
      case MetadataQuestion.DbSchemas(var filter) ->
          write(question, ask(call, connection -> schemas(connection, filter)));
      case MetadataQuestion.Tables(var filter) ->
          write(question, ask(call, connection -> tables(connection, filter)));
      case MetadataQuestion.PrimaryKeys(var table) ->
          write(question, ask(call, connection -> primaryKeys(connection, table)));
      case MetadataQuestion.References _ -> write(question, List.of());
      case MetadataQuestion.TypeInfo(var wanted) -> write(question, TypeInfoRows.of(wanted));
      case MetadataQuestion.Info(var wanted) -> info.answer(wanted.getInfoList(), allocator);
    };
  }

  private VectorSchemaRoot write(
      MetadataQuestion question, List<? extends List<? extends @Nullable Object>> rows) {
    return RowWriter.write(question.schema(), rows, allocator);
  }

  private <T> T ask(Call call, QueryService.Question<T> question) throws EngineException {
    return queries.ask(call.session(), call.cancellation(), question);
  }

  private static List<List<String>> schemas(
      EngineConnection connection, FlightSql.CommandGetDbSchemas filter) throws EngineException {
    var where = new Filter();
    where.add("database_name = 'lake'");
    where.like("database_name", filter.hasCatalog(), filter.getCatalog());
    where.like("schema_name", filter.hasDbSchemaFilterPattern(), filter.getDbSchemaFilterPattern());
    return connection.rows(
        "SELECT DISTINCT database_name, schema_name FROM duckdb_schemas()"
            + where.sql()
            + " ORDER BY ALL",
        where.parameters());
  }

  private List<List<@Nullable Object>> tables(
      EngineConnection connection, FlightSql.CommandGetTables filter) throws EngineException {
    var where = new Filter();
    where.add(VISIBLE);
    where.like("database_name", filter.hasCatalog(), filter.getCatalog());
    where.like("schema_name", filter.hasDbSchemaFilterPattern(), filter.getDbSchemaFilterPattern());
    where.like(
        "table_name", filter.hasTableNameFilterPattern(), filter.getTableNameFilterPattern());
    where.oneOf("table_type", filter.getTableTypesList());
    List<List<String>> found =
        connection.rows(
            TABLES + where.sql() + " ORDER BY table_type, database_name, schema_name, table_name",
            where.parameters());
    Map<List<String>, Schema> schemas =
        filter.getIncludeSchema() && !found.isEmpty() ? tableSchemas(connection, filter) : Map.of();
    var rows = new ArrayList<List<@Nullable Object>>(found.size());
    for (List<String> table : found) {
      var row = new ArrayList<@Nullable Object>(table);
      if (filter.getIncludeSchema()) {
        Schema schema = schemas.getOrDefault(table.subList(0, 3), new Schema(List.of()));
        row.add(SchemaBytes.array(schema));
      }
      rows.add(row);
    }
    return rows;
  }

  private Map<List<String>, Schema> tableSchemas(
      EngineConnection connection, FlightSql.CommandGetTables filter) throws EngineException {
    var where = new Filter();
    where.add(VISIBLE);
    where.like("database_name", filter.hasCatalog(), filter.getCatalog());
    where.like("schema_name", filter.hasDbSchemaFilterPattern(), filter.getDbSchemaFilterPattern());
    where.like(
        "table_name", filter.hasTableNameFilterPattern(), filter.getTableNameFilterPattern());
    List<List<String>> columns =
        connection.rows(
            "SELECT database_name, schema_name, table_name, column_name, data_type, is_nullable,"
                + " comment, if(data_type LIKE 'DECIMAL%', numeric_precision, NULL),"
                + " if(data_type LIKE 'DECIMAL%', numeric_scale, NULL) FROM duckdb_columns()"
                + where.sql()
                + " ORDER BY database_name, schema_name, table_name, column_index",
            where.parameters());
    Map<String, Field> fields =
        types.fields(connection, columns.stream().map(column -> column.get(4)).distinct().toList());
    var grouped = new LinkedHashMap<List<String>, List<Field>>();
    for (List<@Nullable String> column : columns) {
      grouped
          .computeIfAbsent(List.copyOf(column.subList(0, 3)), _ -> new ArrayList<>())
          .add(field(column, fields));
    }
    var schemas = new LinkedHashMap<List<String>, Schema>();
    grouped.forEach((table, list) -> schemas.put(table, new Schema(list)));
    return schemas;
  }

  private static Field field(List<@Nullable String> column, Map<String, Field> fields) {
    String type = String.valueOf(column.get(4));
    var metadata =
        new FlightSqlColumnMetadata.Builder()
            .catalogName(String.valueOf(column.get(0)))
            .schemaName(String.valueOf(column.get(1)))
            .tableName(String.valueOf(column.get(2)))
            .typeName(type)
            .isAutoIncrement(false)
            .isCaseSensitive(false)
            .isReadOnly(false)
            .isSearchable(true);
    String comment = column.get(6);
    if (comment != null) {
      metadata.remarks(comment);
    }
    String precision = column.get(7);
    if (precision != null) {
      metadata.precision(Integer.parseInt(precision));
    }
    String scale = column.get(8);
    if (scale != null) {
      metadata.scale(Integer.parseInt(scale));
    }
    Field known = java.util.Objects.requireNonNull(fields.get(type));
    var all = new LinkedHashMap<String, String>();
    if (known.getMetadata() != null) {
      all.putAll(known.getMetadata());
    }
    all.putAll(metadata.build().getMetadataMap());
    return new Field(
        String.valueOf(column.get(3)),
        new FieldType(
            Boolean.parseBoolean(column.get(5)), known.getType(), known.getDictionary(), all),
        known.getChildren());
  }

  private static List<List<@Nullable Object>> primaryKeys(
      EngineConnection connection, FlightSql.CommandGetPrimaryKeys table) throws EngineException {
    var where = new Filter();
    where.add(VISIBLE);
    where.add("constraint_type = 'PRIMARY KEY'");
    where.equal("database_name", table.hasCatalog(), table.getCatalog());
    where.equal("schema_name", table.hasDbSchema(), table.getDbSchema());
    where.equal("table_name", true, table.getTable());
    List<List<String>> found =
        connection.rows(
            "SELECT database_name, schema_name, table_name, unnest(constraint_column_names),"
                + " generate_subscripts(constraint_column_names, 1), constraint_name"
                + " FROM duckdb_constraints()"
                + where.sql(),
            where.parameters());
    var rows = new ArrayList<List<@Nullable Object>>();
    for (List<String> key : found) {
      var row = new ArrayList<@Nullable Object>(key);
      row.set(4, Integer.valueOf(key.get(4)));
      rows.add(row);
    }
    return rows;
  }

  /** Conditions with their values. Patterns are those of LIKE, with a backslash as escape. */
  private static final class Filter {
    private final StringJoiner conditions = new StringJoiner(" AND ", " WHERE ", "");
    private final List<Object> values = new ArrayList<>();

    void add(String condition) {
      conditions.add(condition);
    }

    void like(String column, boolean given, String pattern) {
      if (given) {
        conditions.add(column + " LIKE ? ESCAPE '\\'");
        values.add(pattern);
      }
    }

    void equal(String column, boolean given, String value) {
      if (given) {
        conditions.add(column + " = ?");
        values.add(value);
      }
    }

    void oneOf(String column, List<String> wanted) {
      if (!wanted.isEmpty()) {
        conditions.add(column + " IN (" + "?, ".repeat(wanted.size() - 1) + "?)");
        values.addAll(wanted);
      }
    }

    String sql() {
      return conditions.toString();
    }

    Object[] parameters() {
      return values.toArray();
    }
  }
}
