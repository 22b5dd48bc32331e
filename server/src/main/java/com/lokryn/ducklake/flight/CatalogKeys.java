package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.flight.sql.impl.FlightSql.UpdateDeleteRules;
import org.jspecify.annotations.Nullable;

/** Keys: DuckLake has none, temporary tables can have them. A table that is not there has none. */
final class CatalogKeys {
  private static final String PRIMARY =
      "SELECT database_name, schema_name, table_name, unnest(constraint_column_names),"
          + " constraint_name, generate_subscripts(constraint_column_names, 1)"
          + " FROM duckdb_constraints()";

  /** A foreign key references a primary key or a unique constraint of a table beside its own. */
  private static final String FOREIGN =
      "SELECT pk_catalog, pk_schema, pk_table, pk_column, fk_catalog, fk_schema, fk_table,"
          + " fk_column, sequence, fk_name, pk_name FROM (SELECT"
          + " f.database_name AS pk_catalog, f.schema_name AS pk_schema,"
          + " f.referenced_table AS pk_table, unnest(f.referenced_column_names) AS pk_column,"
          + " f.database_name AS fk_catalog, f.schema_name AS fk_schema,"
          + " f.table_name AS fk_table, unnest(f.constraint_column_names) AS fk_column,"
          + " generate_subscripts(f.constraint_column_names, 1) AS sequence,"
          + " f.constraint_name AS fk_name, p.constraint_name AS pk_name"
          + " FROM (FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY') f"
          + " LEFT JOIN (FROM duckdb_constraints()"
          + " WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE')) p"
          + " ON p.database_name = f.database_name AND p.schema_name = f.schema_name"
          + " AND p.table_name = f.referenced_table"
          + " AND list_sort(p.constraint_column_names) = list_sort(f.referenced_column_names))";

  private CatalogKeys() {}

  static List<List<@Nullable Object>> primary(
      EngineConnection connection, FlightSql.CommandGetPrimaryKeys table) throws EngineException {
    var where =
        new CatalogFilter(CatalogTables.VISIBLE + " AND constraint_type = 'PRIMARY KEY'")
            .equal("database_name", table.hasCatalog(), table.getCatalog())
            .equal("schema_name", table.hasDbSchema(), table.getDbSchema())
            .equal("table_name", true, table.getTable());
    var rows = new ArrayList<List<@Nullable Object>>();
    for (List<String> key :
        connection.rows(PRIMARY + where.sql() + " ORDER BY 1, 2, 3, 5, 6", where.parameters())) {
      var row = new ArrayList<@Nullable Object>(key);
      row.set(5, Integer.valueOf(key.get(5)));
      // The canonical schema has the place in the key before its name.
      row.add(4, row.removeLast());
      rows.add(row);
    }
    return rows;
  }

  /** The keys that reference a table. */
  static List<List<@Nullable Object>> exported(
      EngineConnection connection, FlightSql.CommandGetExportedKeys table) throws EngineException {
    var where =
        foreignKeys()
            .equal("pk_catalog", table.hasCatalog(), table.getCatalog())
            .equal("pk_schema", table.hasDbSchema(), table.getDbSchema())
            .equal("pk_table", true, table.getTable());
    return foreign(connection, where, "fk_catalog, fk_schema, fk_table, fk_name, sequence");
  }

  /** The keys of a table that reference others. */
  static List<List<@Nullable Object>> imported(
      EngineConnection connection, FlightSql.CommandGetImportedKeys table) throws EngineException {
    var where =
        foreignKeys()
            .equal("fk_catalog", table.hasCatalog(), table.getCatalog())
            .equal("fk_schema", table.hasDbSchema(), table.getDbSchema())
            .equal("fk_table", true, table.getTable());
    return foreign(connection, where, "pk_catalog, pk_schema, pk_table, pk_name, sequence");
  }

  /** The keys of one table that reference another. */
  static List<List<@Nullable Object>> between(
      EngineConnection connection, FlightSql.CommandGetCrossReference tables)
      throws EngineException {
    var where =
        foreignKeys()
            .equal("pk_catalog", tables.hasPkCatalog(), tables.getPkCatalog())
            .equal("pk_schema", tables.hasPkDbSchema(), tables.getPkDbSchema())
            .equal("pk_table", true, tables.getPkTable())
            .equal("fk_catalog", tables.hasFkCatalog(), tables.getFkCatalog())
            .equal("fk_schema", tables.hasFkDbSchema(), tables.getFkDbSchema())
            .equal("fk_table", true, tables.getFkTable());
    return foreign(connection, where, "pk_catalog, pk_schema, pk_table, pk_name, sequence");
  }

  private static CatalogFilter foreignKeys() {
    return new CatalogFilter("fk_catalog IN ('lake', 'temp')");
  }

  private static List<List<@Nullable Object>> foreign(
      EngineConnection connection, CatalogFilter where, String order) throws EngineException {
    var rows = new ArrayList<List<@Nullable Object>>();
    for (List<String> key :
        connection.rows(FOREIGN + where.sql() + " ORDER BY " + order, where.parameters())) {
      var row = new ArrayList<@Nullable Object>(key);
      row.set(8, Integer.valueOf(key.get(8)));
      // DuckDB refuses CASCADE and what else changes the rows that reference.
      row.add(UpdateDeleteRules.NO_ACTION_VALUE);
      row.add(UpdateDeleteRules.NO_ACTION_VALUE);
      rows.add(row);
    }
    return rows;
  }
}
