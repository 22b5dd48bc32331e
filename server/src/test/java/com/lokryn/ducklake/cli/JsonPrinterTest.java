package com.lokryn.ducklake.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonPrinterTest {
  private static String json(String sql) {
    return Rows.print(sql, JsonPrinter::new);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "NULL | null",
        "true | true",
        "(-128)::TINYINT | -128",
        "255::UTINYINT | 255",
        "65535::USMALLINT | 65535",
        "4294967295::UINTEGER | 4294967295",
        "9223372036854775807 | 9223372036854775807",
        "18446744073709551615::UBIGINT | 18446744073709551615",
        "170141183460469231731687303715884105::HUGEINT | 170141183460469231731687303715884105",
        "0.10::DECIMAL(4,2) | 0.10",
        "12345678901234567890.123456789::DECIMAL(38,9) | 12345678901234567890.123456789",
        "0.1::FLOAT | 0.1",
        "1e300 | 1.0E300",
        "'NaN'::DOUBLE | null",
        "'-Infinity'::FLOAT | null",
        "'a\"b' | \"a\\\"b\"",
        "'abc'::BLOB | \"YWJj\"",
        "DATE '2024-02-29' | \"2024-02-29\"",
        "TIME '01:02:03' | \"01:02:03\"",
        "TIME '24:00:00' | \"24:00:00\"",
        "TIMESTAMP '2024-01-02 03:04:00' | \"2024-01-02T03:04:00\"",
        "TIMESTAMP_S '2024-01-02 03:04:05' | \"2024-01-02T03:04:05\"",
        "TIMESTAMP_MS '1969-12-31 23:59:59.999' | \"1969-12-31T23:59:59.999\"",
        "TIMESTAMP_NS '2024-01-02 03:04:05.123456789' | \"2024-01-02T03:04:05.123456789\"",
        "TIMESTAMPTZ '2024-01-02 03:04:05+02' | \"2024-01-02T01:04:05Z\"",
        "INTERVAL '14 months 3 days 4.5 seconds' | \"P1Y2M3DT4.5S\"",
        "INTERVAL '0 days' | \"PT0S\"",
        "INTERVAL '-1 month -90 minutes' | \"P-1MT-1H-30M\"",
        "UUID '11111111-2222-3333-4444-555555555555'"
            + " | \"11111111-2222-3333-4444-555555555555\"",
        "'ok'::ENUM('no', 'ok') | \"ok\"",
        "NULL::ENUM('no', 'ok') | null",
        "['ok', NULL]::ENUM('no', 'ok')[] | [\"ok\",null]",
        "[[1], [], NULL] | [[1],[],null]",
        "[1, 2]::INT[2] | [1,2]",
        "{'a': 1, 'b': {'c': NULL}} | {\"a\":1,\"b\":{\"c\":null}}",
        "MAP {'k': 1, 'l': NULL} | {\"k\":1,\"l\":null}",
        "MAP {1: 'x'} | {\"1\":\"x\"}",
        "union_value(n := 1)::UNION(n INT, s VARCHAR, m INT) | {\"n\":1}",
        "union_value(m := 7)::UNION(n INT, s VARCHAR, m INT) | {\"m\":7}",
        "NULL::UNION(n INT, s VARCHAR) | null"
      })
  void values(String sql, String json) {
    assertThat(json("SELECT " + sql + " AS v")).isEqualTo("{\"v\":" + json + "}\n");
  }

  @Test
  void oneObjectALine() {
    assertThat(json("SELECT i FROM range(2) t(i)")).isEqualTo("{\"i\":0}\n{\"i\":1}\n");
    assertThat(json("SELECT 1 WHERE false")).isEmpty();
  }

  @Test
  void controlCharactersAreEscaped() {
    assertThat(json("SELECT chr(27) || '[31m' AS v")).isEqualTo("{\"v\":\"\\u001B[31m\"}\n");
  }

  @Test
  void columnsOfOneNameStayApart() {
    assertThat(json("SELECT 1 AS a, 2 AS a, 3 AS a_1"))
        .isEqualTo("{\"a\":1,\"a_2\":2,\"a_1\":3}\n");
  }
}
