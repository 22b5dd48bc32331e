package com.lokryn.ducklake.flight;

import static java.util.Comparator.comparingInt;

import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.flight.sql.impl.FlightSql.Searchable;
import org.apache.arrow.flight.sql.impl.FlightSql.XdbcDataType;
import org.apache.arrow.flight.sql.impl.FlightSql.XdbcDatetimeSubcode;
import org.jspecify.annotations.Nullable;

/** DuckDB's types as ODBC and JDBC describe them: all of those that can be sent. */
final class TypeInfoRows {
  /** What a number counts. */
  private static final Integer DIGITS = 10;

  private static final Integer BITS = 2;

  /**
   * One type.
   *
   * @param size digits, characters or bits at most; null where nothing bounds it
   * @param quote what stands around a literal; null for nothing
   * @param parameters names of what can stand in parentheses behind the type
   * @param unsigned null for what is no number
   * @param scale digits behind the point at most; null where there is no point
   * @param radix what the size counts; null for what is no number
   * @param subcode which of the dates and times it is; null for what is none
   */
  private record Type(
      String name,
      XdbcDataType type,
      @Nullable Integer size,
      @Nullable String quote,
      List<String> parameters,
      @Nullable Boolean unsigned,
      @Nullable Integer scale,
      @Nullable Integer radix,
      @Nullable XdbcDatetimeSubcode subcode) {}

  private static final List<Type> TYPES = types();

  private TypeInfoRows() {}

  private static List<Type> types() {
    var types = new ArrayList<Type>();
    types.add(
        new Type("BOOLEAN", XdbcDataType.XDBC_BIT, 1, null, List.of(), null, null, null, null));
    types.add(integer("TINYINT", XdbcDataType.XDBC_TINYINT, 3, false));
    types.add(integer("UTINYINT", XdbcDataType.XDBC_TINYINT, 3, true));
    types.add(integer("SMALLINT", XdbcDataType.XDBC_SMALLINT, 5, false));
    types.add(integer("USMALLINT", XdbcDataType.XDBC_SMALLINT, 5, true));
    types.add(integer("INTEGER", XdbcDataType.XDBC_INTEGER, 10, false));
    types.add(integer("UINTEGER", XdbcDataType.XDBC_INTEGER, 10, true));
    types.add(integer("BIGINT", XdbcDataType.XDBC_BIGINT, 19, false));
    types.add(integer("UBIGINT", XdbcDataType.XDBC_BIGINT, 20, true));
    types.add(integer("HUGEINT", XdbcDataType.XDBC_NUMERIC, 38, false));
    types.add(
        new Type(
            "DECIMAL",
            XdbcDataType.XDBC_DECIMAL,
            38,
            null,
            List.of("precision", "scale"),
            false,
            38,
            DIGITS,
            null));
    types.add(real("FLOAT", XdbcDataType.XDBC_FLOAT, 24));
    types.add(real("DOUBLE", XdbcDataType.XDBC_DOUBLE, 53));
    types.add(quoted("VARCHAR", XdbcDataType.XDBC_VARCHAR, null, List.of("length")));
    types.add(quoted("JSON", XdbcDataType.XDBC_VARCHAR, null, List.of()));
    types.add(quoted("ENUM", XdbcDataType.XDBC_VARCHAR, null, List.of("values")));
    types.add(quoted("UUID", XdbcDataType.XDBC_CHAR, 36, List.of()));
    types.add(quoted("BLOB", XdbcDataType.XDBC_VARBINARY, null, List.of()));
    types.add(quoted("GEOMETRY", XdbcDataType.XDBC_VARBINARY, null, List.of()));
    types.add(time("DATE", XdbcDataType.XDBC_DATE, 10, 0, XdbcDatetimeSubcode.XDBC_SUBCODE_DATE));
    types.add(time("TIME", XdbcDataType.XDBC_TIME, 15, 6, XdbcDatetimeSubcode.XDBC_SUBCODE_TIME));
    types.add(
        time("TIME_NS", XdbcDataType.XDBC_TIME, 18, 9, XdbcDatetimeSubcode.XDBC_SUBCODE_TIME));
    types.add(
        time(
            "TIMESTAMP",
            XdbcDataType.XDBC_TIMESTAMP,
            26,
            6,
            XdbcDatetimeSubcode.XDBC_SUBCODE_TIMESTAMP));
    types.add(
        time(
            "TIMESTAMP_S",
            XdbcDataType.XDBC_TIMESTAMP,
            19,
            0,
            XdbcDatetimeSubcode.XDBC_SUBCODE_TIMESTAMP));
    types.add(
        time(
            "TIMESTAMP_MS",
            XdbcDataType.XDBC_TIMESTAMP,
            23,
            3,
            XdbcDatetimeSubcode.XDBC_SUBCODE_TIMESTAMP));
    types.add(
        time(
            "TIMESTAMP_NS",
            XdbcDataType.XDBC_TIMESTAMP,
            29,
            9,
            XdbcDatetimeSubcode.XDBC_SUBCODE_TIMESTAMP));
    types.add(
        time(
            "TIMESTAMP WITH TIME ZONE",
            XdbcDataType.XDBC_TIMESTAMP,
            32,
            6,
            XdbcDatetimeSubcode.XDBC_SUBCODE_TIMESTAMP_WITH_TIMEZONE));
    // Months, days and microseconds at once, which none of the subcodes is: no number for it.
    types.add(quoted("INTERVAL", XdbcDataType.XDBC_INTERVAL, null, List.of()));
    for (String nested : List.of("ARRAY", "LIST", "MAP", "STRUCT", "UNION")) {
      types.add(
          new Type(
              nested,
              XdbcDataType.XDBC_UNKNOWN_TYPE,
              null,
              null,
              List.of(),
              null,
              null,
              null,
              null));
    }
    types.sort(comparingInt((Type type) -> type.type.getNumber()).thenComparing(Type::name));
    return List.copyOf(types);
  }

  /** Rows of the canonical schema, all or those of one type, by its number and then its name. */
  static List<List<@Nullable Object>> of(FlightSql.CommandGetXdbcTypeInfo wanted) {
    return TYPES.stream()
        .filter(type -> !wanted.hasDataType() || type.type.getNumber() == wanted.getDataType())
        .map(TypeInfoRows::row)
        .toList();
  }

  private static List<@Nullable Object> row(Type type) {
    var row = new ArrayList<@Nullable Object>();
    row.add(type.name);
    row.add(type.type.getNumber());
    row.add(type.size);
    row.add(type.quote);
    row.add(type.quote);
    row.add(type.parameters.isEmpty() ? null : type.parameters);
    row.add(FlightSql.Nullable.NULLABILITY_NULLABLE_VALUE);
    boolean isText = type.type == XdbcDataType.XDBC_VARCHAR;
    row.add(isText);
    row.add(
        isText && !type.name.equals("ENUM")
            ? Searchable.SEARCHABLE_FULL_VALUE
            : Searchable.SEARCHABLE_BASIC_VALUE);
    row.add(type.unsigned);
    row.add(false);
    // No type counts by itself: a column does, with a sequence as its default.
    row.add(type.unsigned == null ? null : false);
    row.add(type.name);
    row.add(type.scale == null ? null : isFixedScale(type) ? type.scale : Integer.valueOf(0));
    row.add(type.scale);
    row.add(sqlDataType(type));
    row.add(type.subcode == null ? null : type.subcode.getNumber());
    row.add(type.radix);
    row.add(null);
    return row;
  }

  /** A time always has its digits behind the point; a DECIMAL has as many as were asked for. */
  private static boolean isFixedScale(Type type) {
    return !type.name.equals("DECIMAL");
  }

  /** The generic number of all dates and times; the others have their own. */
  private static int sqlDataType(Type type) {
    return type.subcode == null ? type.type.getNumber() : XdbcDataType.XDBC_DATETIME_VALUE;
  }

  private static Type integer(String name, XdbcDataType type, int digits, boolean unsigned) {
    return new Type(name, type, digits, null, List.of(), unsigned, 0, DIGITS, null);
  }

  private static Type real(String name, XdbcDataType type, int bits) {
    return new Type(name, type, bits, null, List.of(), false, null, BITS, null);
  }

  private static Type quoted(
      String name, XdbcDataType type, @Nullable Integer size, List<String> parameters) {
    return new Type(name, type, size, "'", parameters, null, null, null, null);
  }

  private static Type time(
      String name, XdbcDataType type, int characters, int scale, XdbcDatetimeSubcode subcode) {
    return new Type(name, type, characters, "'", List.of(), null, scale, null, subcode);
  }
}
