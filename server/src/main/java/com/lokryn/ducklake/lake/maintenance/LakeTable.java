package com.lokryn.ducklake.lake.maintenance;

import com.lokryn.ducklake.engine.Sql;

/**
 * A table of the lake.
 *
 * @param id DuckLake's
 */
record LakeTable(long id, String schema, String name) {
  /** Of tables t and schemas s, those that are there now. */
  static final String PRESENT = " t.end_snapshot IS NULL AND s.end_snapshot IS NULL";

  /** Joins them to what a query has as x, with the table's id. */
  static final String JOIN =
      " JOIN {c}ducklake_table t ON t.table_id = x.table_id"
          + " JOIN {c}ducklake_schema s ON s.schema_id = t.schema_id";

  /** As arguments of the functions that compact. */
  String compaction() {
    return "%s, schema => %s".formatted(Sql.literal(name), Sql.literal(schema));
  }

  /** As arguments of the function that flushes. */
  String flush() {
    return "schema_name => %s, table_name => %s".formatted(Sql.literal(schema), Sql.literal(name));
  }

  /** For an operator. */
  String shown() {
    return schema + "." + name;
  }
}
