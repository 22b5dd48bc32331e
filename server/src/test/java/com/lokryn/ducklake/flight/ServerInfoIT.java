package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.arrow.flight.FlightInfo;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.sql.FlightSqlClient.Transaction;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlInfo;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportsConvert;
import org.apache.arrow.vector.UInt4Vector;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the server says of itself is true of the engine. */
class ServerInfoIT {
  /** A call of each function that the server names. */
  private static final List<String> CALLS =
      """
          abs(-1)
          acos(1)
          acosh(1)
          asin(0)
          asinh(0)
          atan(0)
          atan2(0,1)
          atanh(0)
          bit_count(3)
          cbrt(8)
          ceil(1.5)
          ceiling(1.5)
          cos(0)
          cosh(0)
          cot(1)
          degrees(1)
          even(1.5)
          exp(1)
          factorial(3)
          floor(1.5)
          gamma(2)
          gcd(4,6)
          greatest(1,2)
          isfinite(1.0)
          isinf(1.0)
          isnan(1.0)
          lcm(2,3)
          least(1,2)
          lgamma(2)
          ln(1)
          log(10)
          log10(10)
          log2(2)
          mod(5,3)
          nextafter(1.0,2.0)
          pi()
          pow(2,2)
          power(2,2)
          radians(1)
          random()
          round(1.5)
          setseed(0.5)
          sign(-1)
          signbit(1.0)
          sin(0)
          sinh(0)
          sqrt(4)
          tan(0)
          tanh(0)
          trunc(1.5)
          xor(1,2)
          ascii('a')
          bar(1,0,2)
          base64('a'::blob)
          bit_length('a')
          char_length('a')
          character_length('a')
          chr(65)
          concat('a','b')
          concat_ws(',','a')
          contains('ab','a')
          damerau_levenshtein('a','b')
          ends_with('a','a')
          format('{}',1)
          from_base64('YQ==')
          hamming('a','b')
          hash('a')
          hex('a')
          instr('ab','b')
          jaccard('a','b')
          jaro_similarity('a','b')
          jaro_winkler_similarity('a','b')
          lcase('A')
          left('ab',1)
          length('a')
          levenshtein('a','b')
          like_escape('a','a','x')
          lower('A')
          lpad('a',2,' ')
          ltrim(' a')
          md5('a')
          nfc_normalize('a')
          octet_length('a'::blob)
          ord('a')
          position('a' in 'ba')
          prefix('ab','a')
          printf('%d',1)
          regexp_extract('a','a')
          regexp_extract_all('a','a')
          regexp_full_match('a','a')
          regexp_matches('a','a')
          regexp_replace('a','a','b')
          regexp_split_to_array('a','b')
          repeat('a',2)
          replace('a','a','b')
          reverse('ab')
          right('ab',1)
          rpad('a',2,' ')
          rtrim('a ')
          sha1('a')
          sha256('a')
          split('a,b',',')
          split_part('a,b',',',1)
          starts_with('a','a')
          str_split('a,b',',')
          string_split('a,b',',')
          strip_accents('a')
          strlen('a')
          strpos('ab','b')
          substr('ab',1)
          substring('ab',1)
          suffix('ab','b')
          translate('a','a','b')
          trim(' a')
          ucase('a')
          unhex('61')
          unicode('a')
          upper('a')
          url_decode('a')
          url_encode('a')
          coalesce(null,1)
          current_catalog
          current_catalog()
          current_database()
          current_query()
          current_role
          current_schema()
          current_schema
          current_schemas(true)
          current_setting('threads')
          current_user
          ifnull(null,1)
          nullif(1,2)
          session_user
          typeof(1)
          user
          user()
          uuid()
          gen_random_uuid()
          version()
          pg_typeof(1)
          if(true,1,2)
          age(timestamp '2020-01-01')
          century(date '2020-01-01')
          current_date
          current_time
          current_timestamp
          date_add(date '2020-01-01', interval 1 day)
          date_diff('day',date '2020-01-01',date '2020-01-02')
          date_part('day',date '2020-01-01')
          date_sub('day',date '2020-01-01',date '2020-01-02')
          date_trunc('day',date '2020-01-01')
          datediff('day',date '2020-01-01',date '2020-01-02')
          datepart('day',date '2020-01-01')
          datesub('day',date '2020-01-01',date '2020-01-02')
          datetrunc('day',date '2020-01-01')
          day(date '2020-01-01')
          dayname(date '2020-01-01')
          dayofmonth(date '2020-01-01')
          dayofweek(date '2020-01-01')
          dayofyear(date '2020-01-01')
          decade(date '2020-01-01')
          epoch(date '2020-01-01')
          epoch_ms(1)
          epoch_ns(date '2020-01-01')
          epoch_us(date '2020-01-01')
          era(date '2020-01-01')
          extract(day from date '2020-01-01')
          get_current_time()
          get_current_timestamp()
          hour(timestamp '2020-01-01')
          isodow(date '2020-01-01')
          isoyear(date '2020-01-01')
          julian(date '2020-01-01')
          last_day(date '2020-01-01')
          localtime
          localtimestamp
          make_date(2020,1,1)
          make_time(1,1,1)
          make_timestamp(2020,1,1,1,1,1)
          make_timestamptz(2020,1,1,1,1,1)
          microsecond(timestamp '2020-01-01')
          millennium(date '2020-01-01')
          millisecond(timestamp '2020-01-01')
          minute(timestamp '2020-01-01')
          month(date '2020-01-01')
          monthname(date '2020-01-01')
          now()
          quarter(date '2020-01-01')
          second(timestamp '2020-01-01')
          strftime(date '2020-01-01','%Y')
          strptime('2020','%Y')
          time_bucket(interval 1 day,date '2020-01-01')
          timezone('UTC',timestamp '2020-01-01')
          timezone_hour(timestamp '2020-01-01')
          to_days(1)
          to_hours(1)
          to_milliseconds(1)
          to_minutes(1)
          to_months(1)
          to_seconds(1)
          to_timestamp(1)
          to_weeks(1)
          to_years(1)
          today()
          transaction_timestamp()
          try_strptime('2020','%Y')
          week(date '2020-01-01')
          weekday(date '2020-01-01')
          weekofyear(date '2020-01-01')
          year(date '2020-01-01')
          yearweek(date '2020-01-01')
      """
          .lines()
          .map(String::strip)
          .toList();

  private static TestingLakeServer server;
  private static TestingClient client;

  /** Of all entries: the member of the union, and the value. */
  private static Map<SqlInfo, Member> info;

  private record Member(int type, Object value) {}

  @BeforeAll
  static void start() throws Exception {
    server = TestingLakeServer.start();
    client = server.connect();
    client.update("CREATE TABLE t (i INT, s VARCHAR)");
    client.update("INSERT INTO t VALUES (1, 'a'), (NULL, 'b'), (2, NULL)");
    info = members(client.sql().getSqlInfo());
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
    server.close();
  }

  @Test
  void everyEntryOfTheProtocolIsThereInItsOrder() {
    assertThat(info.keySet())
        .containsExactlyElementsOf(
            Arrays.stream(SqlInfo.values())
                .filter(entry -> entry != SqlInfo.UNRECOGNIZED)
                .sorted(Comparator.comparingInt(SqlInfo::getNumber))
                .toList());
  }

  @Test
  void entriesByNumberAndUnknownOnes() throws Exception {
    assertThat(
            members(
                    client
                        .sql()
                        .getSqlInfo(
                            SqlInfo.FLIGHT_SQL_SERVER_CANCEL, SqlInfo.FLIGHT_SQL_SERVER_NAME))
                .values())
        .containsExactly(new Member(1, true), new Member(0, "ducklake-flight"));
    assertThat(members(client.sql().getSqlInfo(List.of(99_999)))).isEmpty();
    assertThat(members(client.sql().getSqlInfo(List.of(12, 0, 99_999))).keySet())
        .containsExactly(SqlInfo.FLIGHT_SQL_SERVER_NAME);
  }

  @Test
  void everyEntryIsInItsMemberOfTheUnion() {
    var members = new LinkedHashMap<Integer, List<SqlInfo>>();
    info.forEach(
        (entry, member) -> members.computeIfAbsent(member.type, _ -> new ArrayList<>()).add(entry));
    assertThat(members.get(4))
        .containsExactly(
            SqlInfo.SQL_KEYWORDS,
            SqlInfo.SQL_NUMERIC_FUNCTIONS,
            SqlInfo.SQL_STRING_FUNCTIONS,
            SqlInfo.SQL_SYSTEM_FUNCTIONS,
            SqlInfo.SQL_DATETIME_FUNCTIONS);
    assertThat(members.get(5)).containsExactly(SqlInfo.SQL_SUPPORTS_CONVERT);
    assertThat(members.get(2))
        .hasSize(21)
        .allMatch(
            entry ->
                entry.name().startsWith("SQL_MAX_")
                    || entry == SqlInfo.SQL_DB_SCHEMA_NAME_LENGTH
                    || entry == SqlInfo.SQL_DEFAULT_TRANSACTION_ISOLATION);
    assertThat(members.get(0))
        .containsExactly(
            SqlInfo.FLIGHT_SQL_SERVER_NAME,
            SqlInfo.FLIGHT_SQL_SERVER_VERSION,
            SqlInfo.FLIGHT_SQL_SERVER_ARROW_VERSION,
            SqlInfo.FLIGHT_SQL_SERVER_SUBSTRAIT_MIN_VERSION,
            SqlInfo.FLIGHT_SQL_SERVER_SUBSTRAIT_MAX_VERSION,
            SqlInfo.SQL_IDENTIFIER_QUOTE_CHAR,
            SqlInfo.SQL_SEARCH_STRING_ESCAPE,
            SqlInfo.SQL_EXTRA_NAME_CHARACTERS,
            SqlInfo.SQL_SCHEMA_TERM,
            SqlInfo.SQL_PROCEDURE_TERM,
            SqlInfo.SQL_CATALOG_TERM);
    assertThat(members.get(3))
        .containsExactly(
            SqlInfo.FLIGHT_SQL_SERVER_TRANSACTION,
            SqlInfo.FLIGHT_SQL_SERVER_STATEMENT_TIMEOUT,
            SqlInfo.FLIGHT_SQL_SERVER_TRANSACTION_TIMEOUT,
            SqlInfo.SQL_IDENTIFIER_CASE,
            SqlInfo.SQL_QUOTED_IDENTIFIER_CASE,
            SqlInfo.SQL_NULL_ORDERING,
            SqlInfo.SQL_SUPPORTED_GROUP_BY,
            SqlInfo.SQL_SUPPORTED_GRAMMAR,
            SqlInfo.SQL_ANSI92_SUPPORTED_LEVEL,
            SqlInfo.SQL_OUTER_JOINS_SUPPORT_LEVEL,
            SqlInfo.SQL_SCHEMAS_SUPPORTED_ACTIONS,
            SqlInfo.SQL_CATALOGS_SUPPORTED_ACTIONS,
            SqlInfo.SQL_SUPPORTED_POSITIONED_COMMANDS,
            SqlInfo.SQL_SUPPORTED_SUBQUERIES,
            SqlInfo.SQL_SUPPORTED_UNIONS,
            SqlInfo.SQL_SUPPORTED_TRANSACTIONS_ISOLATION_LEVELS,
            SqlInfo.SQL_SUPPORTED_RESULT_SET_TYPES,
            SqlInfo.SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_UNSPECIFIED,
            SqlInfo.SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_FORWARD_ONLY,
            SqlInfo.SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_SCROLL_SENSITIVE,
            SqlInfo.SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_SCROLL_INSENSITIVE);
  }

  @Test
  void keywordsAreThoseThatTheEngineReserves() throws Exception {
    assertThat(texts(SqlInfo.SQL_KEYWORDS))
        .isEqualTo(
            strings(
                "SELECT keyword_name FROM duckdb_keywords()"
                    + " WHERE keyword_category IN ('reserved', 'type_function') ORDER BY 1"));
  }

  @Test
  void everyFunctionRuns() throws Exception {
    List<String> named =
        Stream.of(
                SqlInfo.SQL_NUMERIC_FUNCTIONS,
                SqlInfo.SQL_STRING_FUNCTIONS,
                SqlInfo.SQL_SYSTEM_FUNCTIONS,
                SqlInfo.SQL_DATETIME_FUNCTIONS)
            .flatMap(entry -> texts(entry).stream())
            .toList();
    assertThat(CALLS.stream().map(call -> call.split("\\(", 2)[0]).collect(Collectors.toSet()))
        .containsExactlyInAnyOrderElementsOf(named);
    // In one statement: what cannot be run fails it by name.
    assertThat(
            client.rows(
                CALLS.stream()
                    .map(call -> "(SELECT CAST(" + call + " AS VARCHAR))")
                    .collect(Collectors.joining(", ", "SELECT ", ""))))
        .hasSize(1);
  }

  @Test
  void conversionsAreThoseOfCast() throws Exception {
    var conversions = (Map<?, ?>) value(SqlInfo.SQL_SUPPORTS_CONVERT);
    var wrong = new ArrayList<String>();
    for (SqlSupportsConvert from : types()) {
      for (SqlSupportsConvert to : types()) {
        String literal = isText(from) ? sample(to) : sample(from);
        String cast = "TRY_CAST('%s'::%s AS %s)".formatted(literal, sqlType(from), sqlType(to));
        boolean said =
            ((Collection<?>) Objects.requireNonNull(conversions.get(from.getNumber())))
                .contains(to.getNumber());
        if (said != works(cast)) {
          wrong.add(cast);
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  private static boolean works(String cast) {
    try {
      return client.value("SELECT CAST(%s AS VARCHAR)".formatted(cast)) != null;
    } catch (Exception e) {
      return false;
    }
  }

  private static List<SqlSupportsConvert> types() {
    return Arrays.stream(SqlSupportsConvert.values())
        .filter(type -> type != SqlSupportsConvert.UNRECOGNIZED)
        .toList();
  }

  private static boolean isText(SqlSupportsConvert type) {
    return sqlType(type).equals("VARCHAR");
  }

  private static String sqlType(SqlSupportsConvert type) {
    return switch (type.name().substring("SQL_CONVERT_".length())) {
      case "CHAR", "VARCHAR", "LONGVARCHAR" -> "VARCHAR";
      case "BINARY", "VARBINARY", "LONGVARBINARY" -> "BLOB";
      case "BIT" -> "BOOLEAN";
      case "NUMERIC" -> "DECIMAL";
      case "INTERVAL_DAY_TIME", "INTERVAL_YEAR_MONTH" -> "INTERVAL";
      case String name -> name;
    };
  }

  private static String sample(SqlSupportsConvert type) {
    return switch (sqlType(type)) {
      case "DATE" -> "2020-01-01";
      case "TIME" -> "01:00:00";
      case "TIMESTAMP" -> "2020-01-01 01:00:00";
      case "INTERVAL" -> "1 day";
      default -> "1";
    };
  }

  @Test
  void namesAreAsSaid() throws Exception {
    assertThat(value(SqlInfo.SQL_DDL_CATALOG)).isEqualTo(false);
    refused("ATTACH ':memory:' AS other");
    runs("CREATE SCHEMA made");
    runs("CREATE TABLE made.\"MiXed\" (i INT)");
    runs("SELECT I FROM MADE.mixed");
    runs("SELECT \"I\" FROM \"Made\".\"mixeD\"");
    runs("SELECT * FROM lake.made.mixed");
    assertThat(strings("SELECT table_name FROM duckdb_columns() WHERE schema_name = 'made'"))
        .containsExactly("MiXed");
    runs("DROP SCHEMA made CASCADE");
    assertThat(value(SqlInfo.SQL_EXTRA_NAME_CHARACTERS)).isEqualTo("$");
    runs("SELECT 1 AS a$b");
    refused("SELECT 1 AS a#b");
    refused("GRANT SELECT ON t TO someone");
    runs("CALL lake.snapshots()");
    runs("CREATE TEMP TABLE indexed (i INT)");
    runs("CREATE INDEX by_i ON temp.main.indexed (i)");
  }

  @Test
  void statementsAreAsSaid() throws Exception {
    assertThat(strings("SELECT i::VARCHAR FROM t ORDER BY i")).containsExactly("1", "2", null);
    assertThat(strings("SELECT i::VARCHAR FROM t ORDER BY i DESC")).containsExactly("2", "1", null);
    assertThat(strings("SELECT s || NULL FROM t WHERE i = 1")).containsExactly((String) null);
    runs("SELECT x.i AS renamed FROM t AS x");
    runs("SELECT t.i FROM t AS t");
    runs("SELECT s FROM t ORDER BY i + 1");
    runs("SELECT count(*) FROM t GROUP BY s, i");
    runs("SELECT s FROM t WHERE s LIKE 'a!%' ESCAPE '!'");
    runs("SELECT * FROM t a LEFT JOIN t b ON a.i = b.i FULL OUTER JOIN t c ON c.i < b.i");
    refused("SELECT * FROM t FOR UPDATE");
    runs("SELECT i FROM t WHERE i = (SELECT max(i) FROM t)");
    runs("SELECT i FROM t WHERE EXISTS (SELECT 1 FROM t b WHERE b.i = t.i)");
    runs("SELECT i FROM t WHERE i IN (SELECT i FROM t)");
    runs("SELECT i FROM t WHERE i >= ALL (SELECT i FROM t)");
    runs("SELECT i FROM t UNION SELECT 1 UNION ALL SELECT 1");
    refused("CREATE TABLE keyed (i INT PRIMARY KEY)");
    refused("CREATE TABLE checked (i INT CHECK (i > 0))");
    refused("SAVEPOINT s");
  }

  @Test
  void definitionsBelongToTheirTransaction() throws Exception {
    Transaction transaction = client.sql().beginTransaction();
    client.sql().executeUpdate("CREATE TABLE undone (i INT)", transaction);
    client.sql().rollback(transaction);
    refused("SELECT * FROM undone");
  }

  @Test
  void patternsAreEscapedAsSaid() {
    assertThat(value(SqlInfo.SQL_SEARCH_STRING_ESCAPE)).isEqualTo("\\");
    assertThat(value(SqlInfo.SQL_IDENTIFIER_QUOTE_CHAR)).isEqualTo("\"");
  }

  @Test
  void typesAreInTheOrderOfTheProtocol() throws Exception {
    List<List<Object>> types = rows(client.sql().getXdbcTypeInfo());
    assertThat(types)
        .isSortedAccordingTo(
            Comparator.<List<Object>>comparingInt(row -> (Integer) row.get(1))
                .thenComparing(row -> (String) row.get(0)));
    for (int number : List.of(-7, -5, 3, 12, 93, 0)) {
      assertThat(rows(client.sql().getXdbcTypeInfo(number)))
          .isNotEmpty()
          .isEqualTo(types.stream().filter(row -> row.get(1).equals(number)).toList());
    }
    assertThat(rows(client.sql().getXdbcTypeInfo(-5)))
        .extracting(List::getFirst)
        .containsExactly("BIGINT", "UBIGINT");
    assertThat(rows(client.sql().getXdbcTypeInfo(77))).isEmpty();
  }

  @Test
  void typesAreDescribedAsTheProtocolSays() throws Exception {
    Map<Object, List<Object>> types =
        rows(client.sql().getXdbcTypeInfo()).stream()
            .collect(Collectors.toMap(List::getFirst, row -> row));
    assertThat(types.get("DECIMAL"))
        .containsExactly(
            "DECIMAL",
            3,
            38,
            null,
            null,
            List.of("precision", "scale"),
            1,
            false,
            2,
            false,
            false,
            false,
            "DECIMAL",
            0,
            38,
            3,
            null,
            10,
            null);
    assertThat(types.get("UINTEGER"))
        .containsExactly(
            "UINTEGER",
            4,
            10,
            null,
            null,
            null,
            1,
            false,
            2,
            true,
            false,
            false,
            "UINTEGER",
            0,
            0,
            4,
            null,
            10,
            null);
    assertThat(types.get("DOUBLE"))
        .containsExactly(
            "DOUBLE", 8, 53, null, null, null, 1, false, 2, false, false, false, "DOUBLE", null,
            null, 8, null, 2, null);
    assertThat(types.get("VARCHAR"))
        .containsExactly(
            "VARCHAR",
            12,
            null,
            "'",
            "'",
            List.of("length"),
            1,
            true,
            3,
            null,
            false,
            null,
            "VARCHAR",
            null,
            null,
            12,
            null,
            null,
            null);
    assertThat(types.get("TIMESTAMP"))
        .containsExactly(
            "TIMESTAMP",
            93,
            26,
            "'",
            "'",
            null,
            1,
            false,
            2,
            null,
            false,
            null,
            "TIMESTAMP",
            6,
            6,
            9,
            3,
            null,
            null);
  }

  /** The engine's own list, but for what Arrow has no equal of and what no column can have. */
  @Test
  void everyTypeThatCanBeSentIsThere() throws Exception {
    List<String> engine =
        strings(
            "SELECT DISTINCT logical_type FROM duckdb_types() WHERE database_name = 'system' AND"
                + " logical_type NOT IN ('TIME WITH TIME ZONE', 'UHUGEINT', 'BIT', 'BIGNUM',"
                + " 'VARIANT', 'NULL', 'TYPE') UNION SELECT 'JSON' ORDER BY 1");
    assertThat(rows(client.sql().getXdbcTypeInfo()))
        .extracting(row -> (String) row.getFirst())
        .containsExactlyInAnyOrderElementsOf(engine);
    for (List<Object> type : rows(client.sql().getXdbcTypeInfo())) {
      String name = (String) type.getFirst();
      if (!type.get(1).equals(0) && !name.equals("ENUM")) {
        runs("SELECT NULL::" + name);
      }
    }
  }

  private static void runs(String statement) throws Exception {
    client.rows(statement);
  }

  private static void refused(String statement) {
    assertThatThrownBy(() -> client.rows(statement)).as(statement).isInstanceOf(Exception.class);
  }

  private static List<String> strings(String query) throws Exception {
    return client.rows(query).stream().map(row -> (String) row.getFirst()).toList();
  }

  private static Object value(SqlInfo entry) {
    return Objects.requireNonNull(info.get(entry)).value();
  }

  private static List<String> texts(SqlInfo entry) {
    return ((List<?>) value(entry)).stream().map(String::valueOf).toList();
  }

  private static Map<SqlInfo, Member> members(FlightInfo answer) throws Exception {
    var members = new LinkedHashMap<SqlInfo, Member>();
    try (FlightStream stream = client.stream(answer)) {
      while (stream.next()) {
        var names = (UInt4Vector) stream.getRoot().getVector("info_name");
        var values = (DenseUnionVector) stream.getRoot().getVector("value");
        for (int row = 0; row < stream.getRoot().getRowCount(); row++) {
          members.put(
              SqlInfo.forNumber(names.get(row)),
              new Member(values.getTypeId(row), plain(values.getObject(row))));
        }
      }
    }
    return members;
  }

  /** Arrow gives text as bytes and a map as a list of its entries. */
  private static Object plain(Object value) {
    return switch (value) {
      case List<?> list when !list.isEmpty() && list.getFirst() instanceof Map<?, ?> -> {
        var map = new LinkedHashMap<Object, Object>();
        list.forEach(
            entry -> map.put(((Map<?, ?>) entry).get("key"), ((Map<?, ?>) entry).get("value")));
        yield map;
      }
      case List<?> list -> list.stream().map(String::valueOf).toList();
      case Integer number -> number;
      case Long number -> number;
      case Boolean truth -> truth;
      default -> value.toString();
    };
  }

  private static List<List<Object>> rows(FlightInfo answer) throws Exception {
    try (FlightStream stream = client.stream(answer)) {
      List<List<Object>> rows = TestingClient.rows(stream);
      rows.forEach(
          row ->
              row.replaceAll(
                  value ->
                      value instanceof List<?> texts
                          ? texts.stream().map(String::valueOf).toList()
                          : value));
      return rows;
    }
  }
}
