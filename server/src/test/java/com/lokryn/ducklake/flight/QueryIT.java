package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.lokryn.ducklake.testing.LocalServer;
import com.lokryn.ducklake.testing.TestingClient;
import java.util.HashSet;
import java.util.List;
import org.apache.arrow.flight.FlightInfo;
import org.apache.arrow.flight.FlightRuntimeException;
import org.apache.arrow.flight.FlightStatusCode;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.DictionaryUtility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class QueryIT {
  @RegisterExtension static final LocalServer server = new LocalServer();

  private TestingClient client;

  @BeforeEach
  void connect() {
    client = server.connect();
  }

  @Test
  void schemaOfFlightInfoIsThatOfTheStream() throws Exception {
    for (String query :
        List.of(
            "SELECT 1 AS a, 2 AS a",
            "SELECT 'a'::ENUM('a','b') AS e, ['x'::ENUM('x')] AS l, {'e': 'a'::ENUM('a')} AS s",
            "SELECT sum(i) FROM range(3) t(i)",
            "PIVOT (SELECT i % 3 AS k, i AS v FROM range(9) t(i)) ON k USING sum(v)",
            "DESCRIBE SELECT 1 AS x",
            "CALL pragma_version()",
            "SELECT MAP {'a': [1, 2]} AS m, NULL AS n, 1.5::DECIMAL(9, 2) AS d WHERE false")) {
      FlightInfo info = client.info(query);
      try (FlightStream stream = client.stream(info)) {
        assertThat(info.getSchemaOptional()).as(query).contains(wireSchema(stream));
      }
    }
  }

  @Test
  void schemaWithoutRunningIsThatOfTheRun() throws Exception {
    for (String query :
        List.of(
            "SELECT 1 AS a, 'x' AS b, [1] AS l, {'k': 1.5::DECIMAL(5, 1)} AS s, now() AS t",
            "SELECT 'a'::ENUM('a','b') AS e",
            "SELECT * FROM range(3)")) {
      assertThat(client.sql().getExecuteSchema(query).getSchema())
          .isEqualTo(client.info(query).getSchemaOptional().orElseThrow());
    }
  }

  @Test
  void enumInTheFirstBatch() throws Exception {
    assertThat(client.rows("SELECT unnest(['b','a'])::ENUM('a','b') AS e"))
        .isEqualTo(List.of(List.of("b"), List.of("a")));
  }

  @Test
  void enumInAnEmptyResult() throws Exception {
    assertThat(client.rows("SELECT 'a'::ENUM('a','b') AS e WHERE false")).isEmpty();
  }

  @Test
  void secondStatementWhileAStreamIsOpen() throws Exception {
    try (FlightStream first = client.open("SELECT i FROM range(3000000) t(i)")) {
      long seen = 0;
      assertThat(first.next()).isTrue();
      seen += first.getRoot().getRowCount();
      assertThat(client.value("SELECT 42")).isEqualTo(42);
      while (first.next()) {
        seen += first.getRoot().getRowCount();
      }
      assertThat(seen).isEqualTo(3_000_000);
    }
  }

  @Test
  void secondStatementWhileAStreamOfTheSameTemporaryTableIsOpen() throws Exception {
    client.update("CREATE TEMP TABLE many AS SELECT i FROM range(2000000) t(i)");
    try (FlightStream first = client.open("SELECT i FROM many")) {
      long seen = 0;
      assertThat(first.next()).isTrue();
      seen += first.getRoot().getRowCount();
      assertThat(client.value("SELECT count(*) FROM many")).isEqualTo(2_000_000L);
      client.update("DELETE FROM many");
      while (first.next()) {
        seen += first.getRoot().getRowCount();
      }
      assertThat(seen).isEqualTo(2_000_000);
    }
    client.update("DROP TABLE many");
  }

  @Test
  void errorAtBatchNReachesTheClient() throws Exception {
    try (FlightStream stream =
        client.open(
            "SELECT CASE WHEN i = 900000 THEN error('boom') ELSE i END FROM range(1000000) t(i)")) {
      assertThatThrownBy(
              () -> {
                while (stream.next()) {
                  assertThat(stream.getRoot().getRowCount()).isPositive();
                }
              })
          .isInstanceOf(FlightRuntimeException.class)
          .hasMessageContaining("boom");
    }
  }

  @Test
  void aValueOf20MiB() throws Exception {
    assertThat(client.value("SELECT repeat('x', 20 * 1024 * 1024)").toString())
        .hasSize(20 * 1024 * 1024);
  }

  @Test
  void wideStringsStayBelow16MiBAMessage() throws Exception {
    long rows = 0;
    try (FlightStream stream =
        client.open(
            "SELECT CASE WHEN i % 1000 < 40 THEN repeat('x', 300000) ELSE 'y' END AS s,"
                + " [i, i] AS l, {'a': i} AS t FROM range(20000) t(i)")) {
      while (stream.next()) {
        long bytes = 0;
        for (FieldVector vector : stream.getRoot().getFieldVectors()) {
          bytes += vector.getBufferSize();
        }
        assertThat(bytes).isLessThan(16L << 20);
        rows += stream.getRoot().getRowCount();
      }
    }
    assertThat(rows).isEqualTo(20_000);
  }

  @Test
  void slicedBatchesHoldTheSameRows() throws Exception {
    String query =
        "SELECT i, CASE WHEN i % 2 = 0 THEN repeat(chr(97 + (i % 26)::INT), 40000) END AS s,"
            + " [i, NULL] AS l FROM range(3000) t(i)";
    long next = 0;
    try (FlightStream stream = client.open(query)) {
      for (List<Object> row : TestingClient.rows(stream)) {
        long i = next++;
        assertThat(row.get(0)).isEqualTo(i);
        if (i % 2 == 0) {
          assertThat(row.get(1).toString())
              .hasSize(40_000)
              .startsWith(String.valueOf((char) (97 + i % 26)));
        } else {
          assertThat(row.get(1)).isNull();
        }
        assertThat(((List<?>) row.get(2)).get(0)).isEqualTo(i);
      }
    }
    assertThat(next).isEqualTo(3_000);
  }

  @Test
  void firstBatchIsSmall() throws Exception {
    try (FlightStream stream = client.open("SELECT i, i * 2 AS d FROM range(3000000) t(i)")) {
      assertThat(stream.next()).isTrue();
      assertThat(stream.getRoot().getRowCount()).isLessThanOrEqualTo(2_048);
      assertThat(largest(stream)).isGreaterThan(50_000);
    }
  }

  /** The next row may be as wide as it likes. */
  @Test
  void batchesOfTextStaySmall() throws Exception {
    try (FlightStream stream = client.open("SELECT i, i::VARCHAR AS s FROM range(300000) t(i)")) {
      assertThat(stream.next()).isTrue();
      assertThat(stream.getRoot().getRowCount()).isLessThanOrEqualTo(16);
      assertThat(largest(stream)).isEqualTo(8_192);
    }
  }

  private static int largest(FlightStream stream) {
    int largest = 0;
    while (stream.next()) {
      largest = Math.max(largest, stream.getRoot().getRowCount());
    }
    return largest;
  }

  @Test
  void multiStatementTextIsRefusedInExecuteAndInPrepare() throws Exception {
    String text = "CREATE TABLE sneaked (i INT); SELECT 1";
    assertStatus(FlightStatusCode.INVALID_ARGUMENT, () -> client.info(text));
    assertStatus(FlightStatusCode.INVALID_ARGUMENT, () -> client.sql().prepare(text));
    assertStatus(FlightStatusCode.INVALID_ARGUMENT, () -> client.update(text));
    assertStatus(FlightStatusCode.INVALID_ARGUMENT, () -> client.sql().getExecuteSchema(text));
    assertStatus(FlightStatusCode.NOT_FOUND, () -> client.info("SELECT * FROM sneaked"));
  }

  @Test
  void trailingSemicolonsAndCommentsAreOneStatement() throws Exception {
    assertThat(client.value("/* a; b */ SELECT ';' || $$;$$ -- ; \n ; ; ")).isEqualTo(";;");
  }

  @Test
  void aChangeRunsOnceHoweverOftenItsTicketIsFetched() throws Exception {
    client.update("CREATE OR REPLACE TABLE once (i INT)");
    FlightInfo info = client.info("INSERT INTO once VALUES (1)");
    // A driver may never fetch the ticket.
    assertThat(client.value("SELECT count(*) FROM once")).isEqualTo(1L);
    try (FlightStream stream = client.stream(info)) {
      assertThat(TestingClient.rows(stream)).isEqualTo(List.of(List.of(1L)));
    }
    assertStatus(
        FlightStatusCode.NOT_FOUND,
        () -> {
          try (FlightStream stream = client.stream(info)) {
            stream.next();
          }
        });
    assertThat(client.value("SELECT count(*) FROM once")).isEqualTo(1L);
  }

  @Test
  void aResultIsFetchedOnce() throws Exception {
    FlightInfo info = client.info("SELECT 1");
    try (FlightStream stream = client.stream(info)) {
      assertThat(stream.next()).isTrue();
    }
    assertStatus(
        FlightStatusCode.NOT_FOUND,
        () -> {
          try (FlightStream stream = client.stream(info)) {
            stream.next();
          }
        });
  }

  @Test
  void statementsOfOneClientSeeWhereItMoved() throws Exception {
    client.update("CREATE SCHEMA IF NOT EXISTS elsewhere");
    client.update("USE elsewhere");
    client.update("CREATE OR REPLACE TABLE here (i INT)");
    assertThat(client.rows("SELECT * FROM here")).isEmpty();
    try (TestingClient other = server.connect()) {
      assertStatus(FlightStatusCode.NOT_FOUND, () -> other.info("SELECT * FROM here"));
      assertThat(other.rows("SELECT * FROM elsewhere.here")).isEmpty();
    }
  }

  @Test
  void temporaryTablesAreTheClientsOwn() throws Exception {
    client.update("CREATE TEMP TABLE mine AS SELECT 7 AS i");
    assertThat(client.value("SELECT i FROM mine")).isEqualTo(7);
    try (TestingClient other = server.connect()) {
      assertStatus(FlightStatusCode.NOT_FOUND, () -> other.info("SELECT * FROM mine"));
    }
  }

  @Test
  void deepQueriesEndInAResultOrAnError() throws Exception {
    StringBuilder chain = new StringBuilder("WITH c0 AS (SELECT 1 AS i)");
    for (int i = 1; i <= 200; i++) {
      chain.append(", c%d AS (SELECT i FROM c%d)".formatted(i, i - 1));
    }
    assertThat(client.value(chain + " SELECT i FROM c200")).isEqualTo(1);
    assertThat(client.value("SELECT " + "1+".repeat(900) + "1")).isEqualTo(901);
    assertThatThrownBy(() -> client.value("SELECT " + "(".repeat(50_000)))
        .isInstanceOf(FlightRuntimeException.class);
    assertThat(client.value("SELECT 1")).isEqualTo(1);
  }

  /** The schema as it was sent: Arrow's client shows the indices of dictionaries instead. */
  private static Schema wireSchema(FlightStream stream) {
    return new Schema(
        stream.getSchema().getFields().stream()
            .map(
                field ->
                    DictionaryUtility.toMessageFormat(
                        field, stream.getDictionaryProvider(), new HashSet<>()))
            .toList());
  }

  private static void assertStatus(
      FlightStatusCode code, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            FlightRuntimeException.class, e -> assertThat(e.status().code()).isEqualTo(code));
  }
}
