package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.math.BigDecimal;
import java.sql.Date;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Time;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Instant;
import java.util.Calendar;
import java.util.TimeZone;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each setter of a PreparedStatement that the driver has, into each type, and the value back. What
 * is not here the driver refuses by itself: streams, java.time, setters that do not fit the type.
 */
class JdbcPreparedIT extends JdbcTestBase {
  interface Setter {
    void set(PreparedStatement statement) throws SQLException;
  }

  static Stream<Arguments> setters() {
    return Stream.of(
        setter("BOOLEAN", s -> s.setBoolean(1, true), "true"),
        setter("TINYINT", s -> s.setByte(1, (byte) -5), "-5"),
        setter("SMALLINT", s -> s.setShort(1, (short) 300), "300"),
        setter("INTEGER", s -> s.setInt(1, Integer.MIN_VALUE), "-2147483648"),
        setter("BIGINT", s -> s.setLong(1, Long.MAX_VALUE), "9223372036854775807"),
        setter("BIGINT", s -> s.setInt(1, 4), "4"),
        setter("UTINYINT", s -> s.setShort(1, (short) 200), "200"),
        setter("USMALLINT", s -> s.setInt(1, 60_000), "60000"),
        setter("UINTEGER", s -> s.setLong(1, 4_000_000_000L), "4000000000"),
        setter(
            "UBIGINT",
            s -> s.setBigDecimal(1, new BigDecimal("18446744073709551615")),
            "18446744073709551615"),
        setter("HUGEINT", s -> s.setBigDecimal(1, new BigDecimal("9".repeat(38))), "9".repeat(38)),
        setter("FLOAT", s -> s.setFloat(1, 1.5f), "1.5"),
        setter("DOUBLE", s -> s.setDouble(1, -2.5), "-2.5"),
        setter("DECIMAL(10,2)", s -> s.setBigDecimal(1, new BigDecimal("12.34")), "12.34"),
        setter("VARCHAR", s -> s.setString(1, "häß'"), "häß'"),
        setter("VARCHAR", s -> s.setNString(1, "日"), "日"),
        setter("BLOB", s -> s.setBytes(1, new byte[] {0, (byte) 255}), "\\x00\\xFF"),
        setter("DATE", s -> s.setDate(1, Date.valueOf("2020-02-29")), "2020-02-29"),
        setter("TIME", s -> s.setTime(1, Time.valueOf("12:34:56")), "12:34:56"),
        setter(
            "TIMESTAMP",
            s -> s.setTimestamp(1, Timestamp.valueOf("2020-02-29 12:34:56.789")),
            "2020-02-29 12:34:56.789"),
        setter(
            "TIMESTAMP",
            s -> s.setTimestamp(1, Timestamp.from(Instant.EPOCH), calendar("Asia/Tokyo")),
            "1970-01-01 09:00:00"),
        setter(
            "TIMESTAMP_S",
            s -> s.setTimestamp(1, Timestamp.valueOf("1969-12-31 23:59:59")),
            "1969-12-31 23:59:59"),
        setter(
            "TIMESTAMP_MS",
            s -> s.setTimestamp(1, Timestamp.valueOf("2020-02-29 12:34:56.789")),
            "2020-02-29 12:34:56.789"),
        setter(
            "TIMESTAMP_NS",
            s -> s.setTimestamp(1, Timestamp.valueOf("2020-02-29 12:34:56.789")),
            "2020-02-29 12:34:56.789"),
        setter(
            "UUID",
            s -> s.setString(1, "0".repeat(8) + "-0000-0000-0000-" + "1".repeat(12)),
            "00000000-0000-0000-0000-111111111111"),
        setter("JSON", s -> s.setString(1, "{\"a\":1}"), "{\"a\":1}"),
        // What the server takes as text is announced as text, and the engine casts it.
        setter("ENUM('a', 'b')", s -> s.setString(1, "b"), "b"),
        setter("INTERVAL", s -> s.setString(1, "3 days"), "3 days"),
        setter("INTEGER[]", s -> s.setString(1, "[1, 2]"), "[1, 2]"),
        setter("STRUCT(a INTEGER)", s -> s.setString(1, "{'a': 1}"), "{'a': 1}"),
        setter("MAP(VARCHAR, INTEGER)", s -> s.setString(1, "{k=1}"), "{k=1}"),
        setter(
            "VARCHAR::TIMESTAMPTZ",
            s -> s.setString(1, "2020-01-01 01:00:00+01"),
            "2020-01-01 00:00:00+00"),
        setter("INTEGER", s -> s.setObject(1, 7), "7"),
        setter("INTEGER", s -> s.setObject(1, 7, Types.INTEGER), "7"),
        setter("BIGINT", s -> s.setObject(1, 7L), "7"),
        setter("DOUBLE", s -> s.setObject(1, 1.5), "1.5"),
        setter("BOOLEAN", s -> s.setObject(1, false), "false"),
        setter("VARCHAR", s -> s.setObject(1, "x"), "x"),
        setter("DECIMAL(10,2)", s -> s.setObject(1, new BigDecimal("1.25")), "1.25"),
        setter("BLOB", s -> s.setObject(1, new byte[] {65}), "A"),
        setter("DATE", s -> s.setObject(1, Date.valueOf("1969-12-31")), "1969-12-31"),
        setter(
            "TIMESTAMP",
            s -> s.setObject(1, Timestamp.valueOf("1969-12-31 23:59:59.5")),
            "1969-12-31 23:59:59.5"));
  }

  /** The engine writes the value as text, so that no getter of the driver hides what arrived. */
  @ParameterizedTest(name = "{0}: {2}")
  @MethodSource("setters")
  void setters(String type, Setter setter, String text) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT v::VARCHAR AS v FROM (SELECT ?::%s AS v)".formatted(type))) {
      setter.set(select);
      try (ResultSet rows = select.executeQuery()) {
        assertThat(rows.next()).isTrue();
        assertThat(rows.getString("v")).isEqualTo(text);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "BOOLEAN",
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "UBIGINT",
        "HUGEINT",
        "FLOAT",
        "DOUBLE",
        "DECIMAL(9,2)",
        "VARCHAR",
        "BLOB",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "UUID",
        "JSON",
        "ENUM('a')",
        "INTERVAL",
        "INTEGER[]",
        "STRUCT(a INTEGER)",
        "MAP(VARCHAR, INTEGER)"
      })
  void nullOfEachType(String type) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement("SELECT ?::%1$s AS v, ?::%1$s IS NULL".formatted(type))) {
      select.setNull(1, Types.NULL);
      select.setNull(2, Types.NULL);
      try (ResultSet rows = select.executeQuery()) {
        rows.next();
        assertThat(rows.getObject(1)).isNull();
        assertThat(rows.wasNull()).isTrue();
        assertThat(rows.getBoolean(2)).isTrue();
      }
    }
  }

  @Test
  void gettersOfEachType() throws SQLException {
    try (PreparedStatement select =
            connection.prepareStatement(
                """
                SELECT true, -5::TINYINT, 300::SMALLINT, 7::INTEGER, 1::BIGINT << 40, 1.5::FLOAT,
                  2.5::DOUBLE, 12.34::DECIMAL(9,2), 'text', 'ab'::BLOB, DATE '2020-02-29',
                  TIME '12:34:56', TIMESTAMP '2020-02-29 12:34:56.789123', [1, 2], 9::HUGEINT,
                  TIMESTAMPTZ '2020-02-29 12:34:56+00'
                """);
        ResultSet rows = select.executeQuery()) {
      rows.next();
      assertThat(rows.getBoolean(1)).isTrue();
      assertThat(rows.getByte(2)).isEqualTo((byte) -5);
      assertThat(rows.getShort(3)).isEqualTo((short) 300);
      assertThat(rows.getInt(4)).isEqualTo(7);
      assertThat(rows.getLong(5)).isEqualTo(1L << 40);
      assertThat(rows.getFloat(6)).isEqualTo(1.5f);
      assertThat(rows.getDouble(7)).isEqualTo(2.5);
      assertThat(rows.getBigDecimal(8)).isEqualTo(new BigDecimal("12.34"));
      assertThat(rows.getString(9)).isEqualTo("text");
      assertThat(rows.getBytes(10)).containsExactly('a', 'b');
      assertThat(rows.getDate(11)).isEqualTo(Date.valueOf("2020-02-29"));
      assertThat(rows.getTime(12)).hasToString("12:34:56");
      assertThat(rows.getTimestamp(13)).isEqualTo(Timestamp.valueOf("2020-02-29 12:34:56.789123"));
      assertThat((Object[]) rows.getArray(14).getArray()).containsExactly(1, 2);
      assertThat(rows.getBigDecimal(15)).isEqualByComparingTo("9");
      assertThat(rows.getTimestamp(16, calendar("UTC")).toInstant())
          .isEqualTo(Instant.parse("2020-02-29T12:34:56Z"));
      assertThat(rows.getObject(4)).isEqualTo(7);
      assertThat(rows.getObject(9)).isEqualTo("text");
    }
  }

  @Test
  void whatIsKnownOfParameters() throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement("SELECT ?::INTEGER AS i, ?::VARCHAR")) {
      ParameterMetaData parameters = select.getParameterMetaData();
      assertThat(parameters.getParameterCount()).isEqualTo(2);
      assertThat(parameters.getParameterType(1)).isEqualTo(Types.INTEGER);
      assertThat(parameters.getParameterType(2)).isEqualTo(Types.VARCHAR);
      assertThat(select.getMetaData().getColumnLabel(1)).isEqualTo("i");
      assertThatThrownBy(select::executeQuery).isInstanceOf(SQLException.class);
    }
  }

  @Test
  void aStatementRunsAgainWithOtherValues() throws SQLException {
    try (PreparedStatement select = connection.prepareStatement("SELECT ?::INTEGER + 1")) {
      for (int i = 0; i < 3; i++) {
        select.setInt(1, i);
        try (ResultSet rows = select.executeQuery()) {
          rows.next();
          assertThat(rows.getInt(1)).isEqualTo(i + 1);
        }
      }
    }
  }

  /** The driver sends a batch as one upload, and answers one number for all of it. */
  @Test
  void batches() throws SQLException {
    run("CREATE OR REPLACE TABLE many (i INT, t TIMESTAMP)");
    try (PreparedStatement insert = connection.prepareStatement("INSERT INTO many VALUES (?, ?)")) {
      for (int i = 0; i < 5; i++) {
        insert.setInt(1, i);
        insert.setTimestamp(2, Timestamp.valueOf("2020-01-01 00:00:0" + i));
        insert.addBatch();
      }
      assertThat(insert.executeBatch()).containsExactly(5);
      insert.setInt(1, 5);
      insert.setNull(2, Types.TIMESTAMP);
      insert.addBatch();
      assertThat(insert.executeLargeBatch()).containsExactly(1L);
    }
    assertThat(row("SELECT count(*), sum(i), max(t)::VARCHAR FROM many"))
        .containsExactly("6", "15", "2020-01-01 00:00:04");
  }

  private static Arguments setter(String type, Setter setter, String text) {
    return arguments(type, setter, text);
  }

  private static Calendar calendar(String zone) {
    return Calendar.getInstance(TimeZone.getTimeZone(zone));
  }
}
