package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TypesIT {
  private static TestingLakeServer server;
  private static TestingClient client;

  @BeforeAll
  static void start() throws Exception {
    server = TestingLakeServer.start();
    client = server.connect();
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
    await().until(() -> server.server().bufferBytes() == 0);
    server.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          true                                    | Bool                          | true
          1::TINYINT                              | Int(8, true)                  | 1
          1::SMALLINT                             | Int(16, true)                 | 1
          1::INTEGER                              | Int(32, true)                 | 1
          1::BIGINT                               | Int(64, true)                 | 1
          255::UTINYINT                           | Int(8, false)                 | -1
          65::USMALLINT                           | Int(16, false)                | A
          1::UINTEGER                             | Int(32, false)                | 1
          1::UBIGINT                              | Int(64, false)                | 1
          99999999999999999999999999999999999999::HUGEINT | Decimal(38, 0, 128) | 99999999999999999999999999999999999999
          -7::HUGEINT                             | Decimal(38, 0, 128)           | -7
          1.5::FLOAT                              | FloatingPoint(SINGLE)         | 1.5
          'nan'::DOUBLE                           | FloatingPoint(DOUBLE)         | NaN
          1.5::DECIMAL(4,1)                       | Decimal(4, 1, 128)            | 1.5
          1.5::DECIMAL(38,3)                      | Decimal(38, 3, 128)           | 1.500
          'ä'                                     | Utf8                          | ä
          '0d6f3b6e-0c4d-4f0d-8c2f-0e8c3f8d9a11'::UUID | Utf8 | 0d6f3b6e-0c4d-4f0d-8c2f-0e8c3f8d9a11
          '{"a":1}'::JSON                         | Utf8                          | {"a":1}
          DATE '2020-02-29'                       | Date(DAY)                     | 18321
          TIME '12:34:56.123456'                  | Time(MICROSECOND, 64)         | 45296123456
          TIMESTAMP '2020-01-01 00:00:00.000001'  | Timestamp(MICROSECOND, null)  | 2020-01-01T00:00:00.000001
          TIMESTAMP_S '2020-01-01 00:00:00'       | Timestamp(SECOND, null)       | 2020-01-01T00:00
          TIMESTAMP_MS '2020-01-01 00:00:00.001'  | Timestamp(MILLISECOND, null)  | 2020-01-01T00:00:00.001
          TIMESTAMP_NS '2020-01-01 00:00:00.000000001' | Timestamp(NANOSECOND, null) | 2020-01-01T00:00:00.000000001
          TIMESTAMPTZ '1970-01-01 02:00:00+02'    | Timestamp(MICROSECOND, UTC)   | 0
          INTERVAL '1 month 2 days 3 seconds'     | Interval(MONTH_DAY_NANO)      | P1M2D PT3S
          [1, 2, NULL]                            | List                          | [1,2,null]
          [[1], []]                               | List                          | [[1],[]]
          [1, 2]::INTEGER[2]                      | FixedSizeList(2)              | [1,2]
          {'a': 1, 'b': ['x']}                    | Struct                        | {"a":1,"b":["x"]}
          MAP {'k': 1}                            | Map(false)                    | [{"key":"k","value":1}]
          NULL                                    | Int(32, true)                 | null
          """)
  void arrivesAsItsArrowType(String expression, String type, String value) throws Exception {
    var schema = client.info("SELECT " + expression + " AS c").getSchemaOptional().orElseThrow();
    assertThat(schema.getFields().getFirst().getType()).hasToString(type);
    assertThat(String.valueOf(client.value("SELECT " + expression + " AS c"))).isEqualTo(value);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          TIMETZ '12:00:00+02'     | VARCHAR
          '101'::BIT               | VARCHAR
          1::UHUGEINT              | DECIMAL(38,0)
          1::BIGNUM                | VARCHAR
          [1::UHUGEINT]            | DECIMAL(38,0)
          {'a': TIMETZ '12:00:00'} | VARCHAR
          MAP {1: '1'::BIT}        | VARCHAR
          """)
  void aTypeWithoutAnEqualIsRefusedWithItsColumnAndACast(String expression, String cast) {
    String query = "SELECT 1 AS a, " + expression + " AS odd";
    assertFails(Status.Code.INVALID_ARGUMENT, () -> client.info(query))
        .contains("\"odd\"")
        .contains("cast it to " + cast);
    assertFails(Status.Code.INVALID_ARGUMENT, () -> client.sql().prepare(query))
        .contains("\"odd\"");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "170141183460469231731687303715884105727::HUGEINT",
        "-100000000000000000000000000000000000000::HUGEINT",
        "'infinity'::DATE",
        "'-infinity'::DATE",
        "'infinity'::TIMESTAMP",
        "'-infinity'::TIMESTAMPTZ",
        "'infinity'::TIMESTAMP_NS",
        "TIME '24:00:00'",
        "INTERVAL '3000000 hours'",
        "[DATE 'infinity']",
        "{'t': TIMESTAMP 'infinity'}",
        "MAP {1: TIMESTAMP 'infinity'}"
      })
  void aValueThatItsArrowTypeCannotHoldIsAnError(String expression) {
    assertFails(
            Status.Code.INVALID_ARGUMENT, () -> client.value("SELECT " + expression + " AS odd"))
        .contains("\"odd\"")
        .contains("VARCHAR");
  }

  @ParameterizedTest
  @ValueSource(strings = {"DATE", "TIMESTAMP", "TIME", "HUGEINT", "INTERVAL"})
  void nullsAreNotTakenForValues(String type) throws Exception {
    assertThat(client.value("SELECT NULL::" + type)).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"'infinity'::DATE", "TIMETZ '12:00:00+02'", "'101'::BIT", "1::BIGNUM"})
  void theCastThatTheErrorNamesWorks(String expression) throws Exception {
    assertThat(client.value("SELECT (" + expression + ")::VARCHAR")).isInstanceOf(String.class);
  }
}
