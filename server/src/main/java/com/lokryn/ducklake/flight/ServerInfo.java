package com.lokryn.ducklake.flight;

import com.google.protobuf.ProtocolMessageEnum;
import com.lokryn.ducklake.engine.BuildInfo;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.arrow.flight.sql.FlightSqlProducer.Schemas;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlInfo;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlNullOrdering;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlOuterJoinsSupportLevel;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedCaseSensitivity;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedElementActions;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedGroupBy;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedResultSetConcurrency;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedResultSetType;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedSubqueries;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedTransaction;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedUnions;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportsConvert;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlTransactionIsolationLevel;
import org.apache.arrow.flight.sql.impl.FlightSql.SupportedAnsi92SqlGrammarLevel;
import org.apache.arrow.flight.sql.impl.FlightSql.SupportedSqlGrammar;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.UInt4Vector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.impl.UnionListWriter;
import org.apache.arrow.vector.complex.impl.UnionMapWriter;

/**
 * What the server says of itself (SqlInfo): every entry of the protocol. The builder that comes
 * with Arrow lacks four of them, and fails on numbers that it does not have. Thread-safe.
 */
final class ServerInfo {
  /** Members of the union, in the order of the canonical schema. */
  private static final byte TEXT = 0;

  private static final byte TRUTH = 1;
  private static final byte LONG = 2;
  private static final byte INT = 3;
  private static final byte TEXTS = 4;
  private static final byte MAP = 5;

  /** By number; a value's Java type tells its place in the union. */
  private final Map<Integer, Object> values = new TreeMap<>();

  /**
   * @param idle after which time without use prepared statements and transactions end
   */
  ServerInfo(Duration idle) {
    int idleMs = (int) Math.min(Integer.MAX_VALUE, idle.toMillis());
    server(idleMs);
    names();
    words();
    statements();
    transactions();
    limits();
    results();
  }

  /** The rows asked for, or all when nothing is; what we have no answer to is left out. */
  VectorSchemaRoot answer(List<Integer> wanted, BufferAllocator allocator) {
    List<Integer> numbers =
        (wanted.isEmpty() ? values.keySet() : wanted)
            .stream().distinct().filter(values::containsKey).toList();
    var root = VectorSchemaRoot.create(Schemas.GET_SQL_INFO_SCHEMA, allocator);
    try {
      root.allocateNew();
      var names = (UInt4Vector) root.getVector(0);
      var union = (DenseUnionVector) root.getVector(1);
      union.setValueCount(numbers.size());
      for (int row = 0; row < numbers.size(); row++) {
        names.setSafe(row, numbers.get(row));
        put(union, row, Objects.requireNonNull(values.get(numbers.get(row))));
      }
      root.setRowCount(numbers.size());
      return root;
    } catch (RuntimeException e) {
      root.close();
      throw e;
    }
  }

  private static void put(DenseUnionVector union, int row, Object value) {
    switch (value) {
      case String text -> {
        VarCharVector vector = union.getVarCharVector(TEXT);
        vector.setSafe(place(union, row, TEXT, vector), text.getBytes(StandardCharsets.UTF_8));
      }
      case Boolean truth -> {
        BitVector vector = union.getBitVector(TRUTH);
        vector.setSafe(place(union, row, TRUTH, vector), truth ? 1 : 0);
      }
      case Long number -> {
        BigIntVector vector = union.getBigIntVector(LONG);
        vector.setSafe(place(union, row, LONG, vector), number);
      }
      case Integer number -> {
        IntVector vector = union.getIntVector(INT);
        vector.setSafe(place(union, row, INT, vector), number);
      }
      case List<?> texts -> {
        ListVector vector = union.getList(TEXTS);
        int index = place(union, row, TEXTS, vector);
        UnionListWriter writer = vector.getWriter();
        writer.setPosition(index);
        writer.startList();
        texts.forEach(text -> writer.writeVarChar((String) text));
        writer.endList();
      }
      case Map<?, ?> map -> {
        MapVector vector = union.getMap(MAP);
        int index = place(union, row, MAP, vector);
        UnionMapWriter writer = vector.getWriter();
        writer.setPosition(index);
        writer.startMap();
        map.forEach((key, list) -> entry(writer, (Integer) key, (List<?>) list));
        writer.endMap();
      }
      default -> throw new IllegalArgumentException("no place in the union for " + value);
    }
  }

  private static void entry(UnionMapWriter writer, int key, List<?> list) {
    writer.startEntry();
    writer.key().integer().writeInt(key);
    var values = writer.value().list();
    values.startList();
    list.forEach(number -> values.integer().writeInt((Integer) number));
    values.endList();
    writer.endEntry();
  }

  /** Takes the next place in a member of the union, and notes it in the union's row. */
  private static int place(DenseUnionVector union, int row, byte member, ValueVector vector) {
    int index = vector.getValueCount();
    union.setTypeId(row, member);
    union.getOffsetBuffer().setInt((long) row * DenseUnionVector.OFFSET_WIDTH, index);
    vector.setValueCount(index + 1);
    return index;
  }

  private void server(int idleMs) {
    set(SqlInfo.FLIGHT_SQL_SERVER_NAME, "ducklake-flight");
    set(SqlInfo.FLIGHT_SQL_SERVER_VERSION, BuildInfo.VERSION);
    set(SqlInfo.FLIGHT_SQL_SERVER_ARROW_VERSION, BuildInfo.ARROW_VERSION);
    set(SqlInfo.FLIGHT_SQL_SERVER_READ_ONLY, false);
    set(SqlInfo.FLIGHT_SQL_SERVER_SQL, true);
    set(SqlInfo.FLIGHT_SQL_SERVER_SUBSTRAIT, false);
    // The protocol has a null for these; the JDBC driver's map of all entries cannot hold one.
    set(SqlInfo.FLIGHT_SQL_SERVER_SUBSTRAIT_MIN_VERSION, "");
    set(SqlInfo.FLIGHT_SQL_SERVER_SUBSTRAIT_MAX_VERSION, "");
    set(
        SqlInfo.FLIGHT_SQL_SERVER_TRANSACTION,
        SqlSupportedTransaction.SQL_SUPPORTED_TRANSACTION_TRANSACTION.getNumber());
    set(SqlInfo.FLIGHT_SQL_SERVER_CANCEL, true);
    set(SqlInfo.FLIGHT_SQL_SERVER_BULK_INGESTION, true);
    set(SqlInfo.FLIGHT_SQL_SERVER_INGEST_TRANSACTIONS_SUPPORTED, true);
    set(SqlInfo.FLIGHT_SQL_SERVER_STATEMENT_TIMEOUT, idleMs);
    set(SqlInfo.FLIGHT_SQL_SERVER_TRANSACTION_TIMEOUT, idleMs);
  }

  private void names() {
    // ATTACH is refused: there is one lake.
    set(SqlInfo.SQL_DDL_CATALOG, false);
    set(SqlInfo.SQL_DDL_SCHEMA, true);
    set(SqlInfo.SQL_DDL_TABLE, true);
    int insensitive = SqlSupportedCaseSensitivity.SQL_CASE_SENSITIVITY_CASE_INSENSITIVE.getNumber();
    set(SqlInfo.SQL_IDENTIFIER_CASE, insensitive);
    set(SqlInfo.SQL_QUOTED_IDENTIFIER_CASE, insensitive);
    set(SqlInfo.SQL_IDENTIFIER_QUOTE_CHAR, "\"");
    set(SqlInfo.SQL_ALL_TABLES_ARE_SELECTABLE, true);
    set(SqlInfo.SQL_SEARCH_STRING_ESCAPE, "\\");
    set(SqlInfo.SQL_EXTRA_NAME_CHARACTERS, "$");
    set(SqlInfo.SQL_SCHEMA_TERM, "schema");
    set(SqlInfo.SQL_PROCEDURE_TERM, "");
    set(SqlInfo.SQL_CATALOG_TERM, "catalog");
    set(SqlInfo.SQL_CATALOG_AT_START, true);
    // Indexes are for temporary tables. DuckDB has no GRANT.
    int actions =
        mask(
            SqlSupportedElementActions.SQL_ELEMENT_IN_PROCEDURE_CALLS,
            SqlSupportedElementActions.SQL_ELEMENT_IN_INDEX_DEFINITIONS);
    set(SqlInfo.SQL_SCHEMAS_SUPPORTED_ACTIONS, actions);
    set(SqlInfo.SQL_CATALOGS_SUPPORTED_ACTIONS, actions);
  }

  private void words() {
    set(SqlInfo.SQL_KEYWORDS, Keywords.RESERVED);
    set(SqlInfo.SQL_NUMERIC_FUNCTIONS, Keywords.NUMERIC_FUNCTIONS);
    set(SqlInfo.SQL_STRING_FUNCTIONS, Keywords.STRING_FUNCTIONS);
    set(SqlInfo.SQL_SYSTEM_FUNCTIONS, Keywords.SYSTEM_FUNCTIONS);
    set(SqlInfo.SQL_DATETIME_FUNCTIONS, Keywords.DATETIME_FUNCTIONS);
    set(SqlInfo.SQL_SUPPORTS_CONVERT, conversions());
  }

  private void statements() {
    set(SqlInfo.SQL_NULL_ORDERING, SqlNullOrdering.SQL_NULLS_SORTED_AT_END.getNumber());
    set(SqlInfo.SQL_SUPPORTS_COLUMN_ALIASING, true);
    set(SqlInfo.SQL_NULL_PLUS_NULL_IS_NULL, true);
    set(SqlInfo.SQL_SUPPORTS_TABLE_CORRELATION_NAMES, true);
    // The restriction that they differ from the names of the tables: there is none.
    set(SqlInfo.SQL_SUPPORTS_DIFFERENT_TABLE_CORRELATION_NAMES, false);
    set(SqlInfo.SQL_SUPPORTS_EXPRESSIONS_IN_ORDER_BY, true);
    set(SqlInfo.SQL_SUPPORTS_ORDER_BY_UNRELATED, true);
    set(
        SqlInfo.SQL_SUPPORTED_GROUP_BY,
        mask(
            SqlSupportedGroupBy.SQL_GROUP_BY_UNRELATED,
            SqlSupportedGroupBy.SQL_GROUP_BY_BEYOND_SELECT));
    set(SqlInfo.SQL_SUPPORTS_LIKE_ESCAPE_CLAUSE, true);
    set(SqlInfo.SQL_SUPPORTS_NON_NULLABLE_COLUMNS, true);
    set(
        SqlInfo.SQL_SUPPORTED_GRAMMAR,
        mask(SupportedSqlGrammar.SQL_MINIMUM_GRAMMAR, SupportedSqlGrammar.SQL_CORE_GRAMMAR));
    set(SqlInfo.SQL_ANSI92_SUPPORTED_LEVEL, mask(SupportedAnsi92SqlGrammarLevel.ANSI92_ENTRY_SQL));
    set(SqlInfo.SQL_SUPPORTS_INTEGRITY_ENHANCEMENT_FACILITY, false);
    set(
        SqlInfo.SQL_OUTER_JOINS_SUPPORT_LEVEL,
        mask(
            SqlOuterJoinsSupportLevel.SQL_LIMITED_OUTER_JOINS,
            SqlOuterJoinsSupportLevel.SQL_FULL_OUTER_JOINS));
    set(SqlInfo.SQL_SUPPORTED_POSITIONED_COMMANDS, 0);
    set(SqlInfo.SQL_SELECT_FOR_UPDATE_SUPPORTED, false);
    set(SqlInfo.SQL_STORED_PROCEDURES_SUPPORTED, false);
    set(
        SqlInfo.SQL_SUPPORTED_SUBQUERIES,
        mask(
            SqlSupportedSubqueries.SQL_SUBQUERIES_IN_COMPARISONS,
            SqlSupportedSubqueries.SQL_SUBQUERIES_IN_EXISTS,
            SqlSupportedSubqueries.SQL_SUBQUERIES_IN_INS,
            SqlSupportedSubqueries.SQL_SUBQUERIES_IN_QUANTIFIEDS));
    set(SqlInfo.SQL_CORRELATED_SUBQUERIES_SUPPORTED, true);
    set(
        SqlInfo.SQL_SUPPORTED_UNIONS,
        mask(SqlSupportedUnions.SQL_UNION, SqlSupportedUnions.SQL_UNION_ALL));
    set(SqlInfo.SQL_BATCH_UPDATES_SUPPORTED, true);
    set(SqlInfo.SQL_NAMED_PARAMETERS_SUPPORTED, false);
    set(SqlInfo.SQL_LOCATORS_UPDATE_COPY, false);
    set(SqlInfo.SQL_STORED_FUNCTIONS_USING_CALL_SYNTAX_SUPPORTED, false);
  }

  private void transactions() {
    // Drivers read this number as 64 bits, as Arrow's builder writes it.
    set(
        SqlInfo.SQL_DEFAULT_TRANSACTION_ISOLATION,
        (long) SqlTransactionIsolationLevel.SQL_TRANSACTION_REPEATABLE_READ_VALUE);
    set(SqlInfo.SQL_TRANSACTIONS_SUPPORTED, true);
    set(
        SqlInfo.SQL_SUPPORTED_TRANSACTIONS_ISOLATION_LEVELS,
        mask(SqlTransactionIsolationLevel.SQL_TRANSACTION_REPEATABLE_READ));
    set(SqlInfo.SQL_DATA_DEFINITION_CAUSES_TRANSACTION_COMMIT, false);
    set(SqlInfo.SQL_DATA_DEFINITIONS_IN_TRANSACTIONS_IGNORED, false);
    set(SqlInfo.SQL_SAVEPOINTS_SUPPORTED, false);
  }

  /** Zero: there is no limit, or it is not known. */
  private void limits() {
    for (SqlInfo limit :
        List.of(
            SqlInfo.SQL_MAX_BINARY_LITERAL_LENGTH,
            SqlInfo.SQL_MAX_CHAR_LITERAL_LENGTH,
            SqlInfo.SQL_MAX_COLUMN_NAME_LENGTH,
            SqlInfo.SQL_MAX_COLUMNS_IN_GROUP_BY,
            SqlInfo.SQL_MAX_COLUMNS_IN_INDEX,
            SqlInfo.SQL_MAX_COLUMNS_IN_ORDER_BY,
            SqlInfo.SQL_MAX_COLUMNS_IN_SELECT,
            SqlInfo.SQL_MAX_COLUMNS_IN_TABLE,
            SqlInfo.SQL_MAX_CONNECTIONS,
            SqlInfo.SQL_MAX_CURSOR_NAME_LENGTH,
            SqlInfo.SQL_MAX_INDEX_LENGTH,
            SqlInfo.SQL_DB_SCHEMA_NAME_LENGTH,
            SqlInfo.SQL_MAX_PROCEDURE_NAME_LENGTH,
            SqlInfo.SQL_MAX_CATALOG_NAME_LENGTH,
            SqlInfo.SQL_MAX_ROW_SIZE,
            SqlInfo.SQL_MAX_STATEMENT_LENGTH,
            SqlInfo.SQL_MAX_STATEMENTS,
            SqlInfo.SQL_MAX_TABLE_NAME_LENGTH,
            SqlInfo.SQL_MAX_TABLES_IN_SELECT,
            SqlInfo.SQL_MAX_USERNAME_LENGTH)) {
      set(limit, 0L);
    }
    set(SqlInfo.SQL_MAX_ROW_SIZE_INCLUDES_BLOBS, true);
  }

  /** A result is a stream: it is read once, forwards. */
  private void results() {
    set(
        SqlInfo.SQL_SUPPORTED_RESULT_SET_TYPES,
        mask(SqlSupportedResultSetType.SQL_RESULT_SET_TYPE_FORWARD_ONLY));
    set(SqlInfo.SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_UNSPECIFIED, 0);
    set(
        SqlInfo.SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_FORWARD_ONLY,
        mask(SqlSupportedResultSetConcurrency.SQL_RESULT_SET_CONCURRENCY_READ_ONLY));
    set(SqlInfo.SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_SCROLL_SENSITIVE, 0);
    set(SqlInfo.SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_SCROLL_INSENSITIVE, 0);
  }

  private void set(SqlInfo entry, Object value) {
    values.put(entry.getNumber(), value);
  }

  private static int mask(ProtocolMessageEnum... bits) {
    int mask = 0;
    for (ProtocolMessageEnum bit : bits) {
      mask |= 1 << bit.getNumber();
    }
    return mask;
  }

  /** What CAST turns into what: within each group, and text from and to everything. */
  private static Map<Integer, List<Integer>> conversions() {
    List<SqlSupportsConvert> text =
        List.of(
            SqlSupportsConvert.SQL_CONVERT_CHAR,
            SqlSupportsConvert.SQL_CONVERT_VARCHAR,
            SqlSupportsConvert.SQL_CONVERT_LONGVARCHAR);
    List<SqlSupportsConvert> numbers =
        List.of(
            SqlSupportsConvert.SQL_CONVERT_BIT,
            SqlSupportsConvert.SQL_CONVERT_TINYINT,
            SqlSupportsConvert.SQL_CONVERT_SMALLINT,
            SqlSupportsConvert.SQL_CONVERT_INTEGER,
            SqlSupportsConvert.SQL_CONVERT_BIGINT,
            SqlSupportsConvert.SQL_CONVERT_FLOAT,
            SqlSupportsConvert.SQL_CONVERT_REAL,
            SqlSupportsConvert.SQL_CONVERT_DECIMAL,
            SqlSupportsConvert.SQL_CONVERT_NUMERIC);
    List<SqlSupportsConvert> bytes =
        List.of(
            SqlSupportsConvert.SQL_CONVERT_BINARY,
            SqlSupportsConvert.SQL_CONVERT_VARBINARY,
            SqlSupportsConvert.SQL_CONVERT_LONGVARBINARY);
    List<SqlSupportsConvert> intervals =
        List.of(
            SqlSupportsConvert.SQL_CONVERT_INTERVAL_DAY_TIME,
            SqlSupportsConvert.SQL_CONVERT_INTERVAL_YEAR_MONTH);
    SqlSupportsConvert date = SqlSupportsConvert.SQL_CONVERT_DATE;
    SqlSupportsConvert time = SqlSupportsConvert.SQL_CONVERT_TIME;
    SqlSupportsConvert timestamp = SqlSupportsConvert.SQL_CONVERT_TIMESTAMP;
    var conversions = new TreeMap<Integer, List<Integer>>();
    convert(conversions, numbers, numbers, text);
    convert(conversions, bytes, bytes, text);
    convert(conversions, intervals, intervals, text);
    convert(conversions, List.of(date), List.of(date, timestamp), text);
    convert(conversions, List.of(time), List.of(time), text);
    convert(conversions, List.of(timestamp), List.of(date, time, timestamp), text);
    convert(conversions, text, numbers, bytes, intervals, List.of(date, time, timestamp), text);
    return conversions;
  }

  @SafeVarargs
  private static void convert(
      Map<Integer, List<Integer>> conversions,
      Collection<SqlSupportsConvert> from,
      Collection<SqlSupportsConvert>... to) {
    var targets = new ArrayList<Integer>();
    for (Collection<SqlSupportsConvert> group : to) {
      group.forEach(type -> targets.add(type.getNumber()));
    }
    targets.sort(null);
    from.forEach(type -> conversions.put(type.getNumber(), List.copyOf(targets)));
  }
}
