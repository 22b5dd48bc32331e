package com.lokryn.ducklake.flight;

import org.apache.arrow.flight.sql.FlightSqlProducer.Schemas;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.vector.types.pojo.Schema;

/** What a client can ask about the catalog and the server. */
sealed interface MetadataQuestion {
  record Catalogs() implements MetadataQuestion {}

  record DbSchemas(FlightSql.CommandGetDbSchemas filter) implements MetadataQuestion {}

  record Tables(FlightSql.CommandGetTables filter) implements MetadataQuestion {}

  record TableTypes() implements MetadataQuestion {}

  record Info(FlightSql.CommandGetSqlInfo wanted) implements MetadataQuestion {}

  record TypeInfo(FlightSql.CommandGetXdbcTypeInfo wanted) implements MetadataQuestion {}

  record PrimaryKeys(FlightSql.CommandGetPrimaryKeys table) implements MetadataQuestion {}

  record ExportedKeys(FlightSql.CommandGetExportedKeys table) implements MetadataQuestion {}

  record ImportedKeys(FlightSql.CommandGetImportedKeys table) implements MetadataQuestion {}

  record CrossReference(FlightSql.CommandGetCrossReference tables) implements MetadataQuestion {}

  /**
   * Refuses a question that cannot be answered: keys of no table. Not one for the schema only,
   * which clients ask for without a table.
   */
  default void requireComplete() {
    switch (this) {
      case PrimaryKeys(var table) -> requireName(table.getTable(), "table");
      case ExportedKeys(var table) -> requireName(table.getTable(), "table");
      case ImportedKeys(var table) -> requireName(table.getTable(), "table");
      case CrossReference(var tables) -> {
        requireName(tables.getPkTable(), "pk_table");
        requireName(tables.getFkTable(), "fk_table");
      }
      case Catalogs _, DbSchemas _, Tables _, TableTypes _, Info _, TypeInfo _ -> {}
    }
  }

  private static void requireName(String name, String field) {
    if (name.isEmpty()) {
      throw FlightErrors.invalid("the keys of which table? The field %s is empty".formatted(field));
    }
  }

  /** The canonical schema of the answer; drivers compare it to the letter, nullability included. */
  default Schema schema() {
    return switch (this) {
      case Catalogs _ -> Schemas.GET_CATALOGS_SCHEMA;
      case DbSchemas _ -> Schemas.GET_SCHEMAS_SCHEMA;
      case Tables tables ->
          tables.filter.getIncludeSchema()
              ? Schemas.GET_TABLES_SCHEMA
              : Schemas.GET_TABLES_SCHEMA_NO_SCHEMA;
      case TableTypes _ -> Schemas.GET_TABLE_TYPES_SCHEMA;
      case Info _ -> Schemas.GET_SQL_INFO_SCHEMA;
      case TypeInfo _ -> Schemas.GET_TYPE_INFO_SCHEMA;
      case PrimaryKeys _ -> Schemas.GET_PRIMARY_KEYS_SCHEMA;
      case ExportedKeys _ -> Schemas.GET_EXPORTED_KEYS_SCHEMA;
      case ImportedKeys _ -> Schemas.GET_IMPORTED_KEYS_SCHEMA;
      case CrossReference _ -> Schemas.GET_CROSS_REFERENCE_SCHEMA;
    };
  }
}
