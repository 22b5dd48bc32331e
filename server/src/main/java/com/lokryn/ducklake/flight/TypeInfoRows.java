package com.lokryn.ducklake.flight;

import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.flight.sql.impl.FlightSql.XdbcDataType;
import org.jspecify.annotations.Nullable;

/** DuckDB's types as ODBC and JDBC describe them. */
final class TypeInfoRows {
  private static final int NULLABLE = 1;
  private static final int SEARCHABLE = 3;

  /**
   * One type.
   *
   * @param size digits, characters or bytes at most; null where nothing bounds it
   * @param quote what stands around a literal
   * @param parameters names of what can stand in parentheses behind the type
   */
  private record Type(
      String name,
      XdbcDataType type,
      @Nullable Integer size,
      @Nullable String quote,
      List<String> parameters,
      @Nullable Boolean unsigned,
      @Nullable Integer maxScale) {}

  private static final List<Type> TYPES =
      List.of(
          number("BOOLEAN", XdbcDataType.XDBC_BIT, 1, null),
          number("TINYINT", XdbcDataType.XDBC_TINYINT, 3, false),
          number("BIGINT", XdbcDataType.XDBC_BIGINT, 19, false),
          number("UBIGINT", XdbcDataType.XDBC_BIGINT, 20, true),
          new Type("BLOB", XdbcDataType.XDBC_VARBINARY, null, "'", List.of(), null, null),
          new Type("VARCHAR", XdbcDataType.XDBC_VARCHAR, null, "'", List.of("length"), null, null),
          new Type("JSON", XdbcDataType.XDBC_VARCHAR, null, "'", List.of(), null, null),
          new Type("UUID", XdbcDataType.XDBC_CHAR, 36, "'", List.of(), null, null),
          new Type(
              "DECIMAL",
              XdbcDataType.XDBC_DECIMAL,
              38,
              null,
              List.of("precision", "scale"),
              false,
              38),
          number("HUGEINT", XdbcDataType.XDBC_NUMERIC, 38, false),
          number("INTEGER", XdbcDataType.XDBC_INTEGER, 10, false),
          number("UINTEGER", XdbcDataType.XDBC_BIGINT, 10, true),
          number("SMALLINT", XdbcDataType.XDBC_SMALLINT, 5, false),
          number("USMALLINT", XdbcDataType.XDBC_INTEGER, 5, true),
          number("UTINYINT", XdbcDataType.XDBC_SMALLINT, 3, true),
          number("FLOAT", XdbcDataType.XDBC_FLOAT, 7, false),
          number("DOUBLE", XdbcDataType.XDBC_DOUBLE, 15, false),
          time("DATE", XdbcDataType.XDBC_DATE, 10),
          time("TIME", XdbcDataType.XDBC_TIME, 15),
          time("TIMESTAMP", XdbcDataType.XDBC_TIMESTAMP, 26),
          time("TIMESTAMP WITH TIME ZONE", XdbcDataType.XDBC_TIMESTAMP, 32),
          new Type("INTERVAL", XdbcDataType.XDBC_INTERVAL, null, "'", List.of(), null, null));

  private TypeInfoRows() {}

  /** Rows of the canonical schema, all or those of one type, in the order of the type's number. */
  static List<List<@Nullable Object>> of(FlightSql.CommandGetXdbcTypeInfo wanted) {
    var rows = new ArrayList<List<@Nullable Object>>();
    TYPES.stream()
        .filter(type -> !wanted.hasDataType() || type.type.getNumber() == wanted.getDataType())
        .sorted((a, b) -> Integer.compare(a.type.getNumber(), b.type.getNumber()))
        .forEach(type -> rows.add(row(type)));
    return rows;
  }

  private static List<@Nullable Object> row(Type type) {
    var row = new ArrayList<@Nullable Object>();
    row.add(type.name);
    row.add(type.type.getNumber());
    row.add(type.size);
    row.add(type.quote);
    row.add(type.quote);
    row.add(type.parameters.isEmpty() ? null : type.parameters);
    row.add(NULLABLE);
    row.add(type.name.equals("VARCHAR"));
    row.add(SEARCHABLE);
    row.add(type.unsigned);
    row.add(false);
    row.add(false);
    row.add(type.name);
    row.add(type.maxScale == null ? null : 0);
    row.add(type.maxScale);
    row.add(type.type.getNumber());
    row.add(null);
    row.add(type.unsigned == null ? null : 10);
    row.add(null);
    return row;
  }

  private static Type number(
      String name, XdbcDataType type, int digits, @Nullable Boolean unsigned) {
    return new Type(name, type, digits, null, List.of(), unsigned, null);
  }

  private static Type time(String name, XdbcDataType type, int characters) {
    return new Type(name, type, characters, "'", List.of(), null, null);
  }
}
