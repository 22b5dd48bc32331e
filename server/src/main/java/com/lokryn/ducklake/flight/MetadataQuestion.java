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

  record PrimaryKeys(FlightSql.CommandGetPrimaryKeys table) implements MetadataQuestion {
    public PrimaryKeys {
      requireName(table.getTable(), "table");
    }
  }

  record ExportedKeys(FlightSql.CommandGetExportedKeys table) implements MetadataQuestion {
    public ExportedKeys {
      requireName(table.getTable(), "table");
    }
  }

  record ImportedKeys(FlightSql.CommandGetImportedKeys table) implements MetadataQuestion {
    public ImportedKeys {
      requireName(table.getTable(), "table");
    }
  }

  record CrossReference(FlightSql.CommandGetCrossReference tables) implements MetadataQuestion {
    public CrossReference {
      requireName(tables.getPkTable(), "pk_table");
      requireName(tables.getFkTable(), "fk_table");
    }
  }

  /** Keys are those of one table: the only names in these commands that cannot be left out. */
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
