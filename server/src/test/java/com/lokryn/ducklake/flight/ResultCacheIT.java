package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingUsers;
import io.grpc.Status;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flight.FlightCallHeaders;
import org.apache.arrow.flight.HeaderCallOption;
import org.apache.arrow.flight.SessionOptionValueFactory;
import org.apache.arrow.flight.SetSessionOptionsRequest;
import org.apache.arrow.flight.sql.FlightSqlClient.PreparedStatement;
import org.apache.arrow.flight.sql.FlightSqlClient.Transaction;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.Field;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is given again, and what must not be. */
class ResultCacheIT {
  private static TestingLakeServer server;
  private TestingClient client;
  private TestingClient other;

  @BeforeAll
  static void start() throws Exception {
    server =
        TestingLakeServer.start(
            Map.of(
                "result_cache_size",
                "4MB",
                "flight_users",
                "[%s, %s, %s]"
                    .formatted(
                        TestingUsers.user("root", "admin"),
                        TestingUsers.user("wanda", "writer"),
                        TestingUsers.user("nora", "reader", "{\"main.open\": \"select\"}"))));
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @BeforeEach
  void connect() {
    client = server.connect("root");
    other = server.connect("wanda");
    client.update("CREATE OR REPLACE TABLE t AS SELECT i, i * 2 AS v FROM range(1000) t(i)");
  }

  @AfterEach
  void disconnect() throws Exception {
    other.close();
    client.close();
    await().until(() -> server.server().openConnections() == 0);
  }

  private static long hits() {
    return server.server().cacheHits();
  }

  private interface Work {
    void run() throws Exception;
  }

  private static void assertHits(long number, Work work) throws Exception {
    long before = hits();
    work.run();
    assertThat(hits() - before).isEqualTo(number);
  }

  private void assertRepeated(String query) throws Exception {
    List<List<Object>> first = client.rows(query);
    assertHits(1, () -> assertThat(client.rows(query)).isEqualTo(first));
    assertHits(1, () -> assertThat(other.rows(query)).isEqualTo(first));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT sum(v) FROM t",
        "SELECT * FROM t ORDER BY i",
        "SELECT i, v::VARCHAR, [i, v], {'a': i, 'b': NULL}, v::DECIMAL(18, 3) FROM t WHERE i < 10",
        "WITH c AS (SELECT i FROM t) SELECT count(*) FROM c JOIN range(10) r(i) USING (i)",
        "SELECT * FROM t WHERE false",
        "FROM t LIMIT 3",
        "SELECT i AS age, v AS version FROM t WHERE age < 3 ORDER BY version",
      })
  void theSameIsGivenAgain(String query) throws Exception {
    assertRepeated(query);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SELECT random(), count(*) FROM t",
        "SELECT current_timestamp, count(*) FROM t",
        "SELECT now(), count(*) FROM t",
        "SELECT uuid(), i FROM t",
        "SELECT age(DATE '2020-01-01'), i FROM t",
        "SELECT * FROM t USING SAMPLE 10",
        "SELECT * FROM t TABLESAMPLE 10%",
        "SELECT current_user, i FROM t",
        "SELECT table_name FROM information_schema.tables",
        "SELECT table_name, i FROM duckdb_tables(), t",
        "SELECT * FROM t WHERE i < (SELECT 1000 * random())",
        "SHOW TABLES",
        "DESCRIBE t",
      })
  void whatMayVaryIsNot(String query) throws Exception {
    assertHits(
        0,
        () -> {
          client.rows(query);
          client.rows(query);
        });
  }

  @Test
  void whatAViewOrMacroDoesCounts() throws Exception {
    client.update("CREATE OR REPLACE VIEW stable AS SELECT sum(v) AS s FROM t");
    client.update("CREATE OR REPLACE VIEW varying AS SELECT random() AS r, i FROM t");
    client.update("CREATE OR REPLACE MACRO dice() AS random()");
    client.update("CREATE OR REPLACE MACRO twice(a) AS 2 * a");
    assertRepeated("FROM stable");
    assertRepeated("SELECT twice(i) FROM t ORDER BY 1");
    assertHits(
        0,
        () -> {
          for (int i = 0; i < 2; i++) {
            client.rows("FROM varying");
            client.rows("SELECT dice(), i FROM t");
          }
        });
    client.update("CREATE OR REPLACE VIEW stable AS SELECT 7 AS s");
    assertThat(client.value("FROM stable")).isEqualTo(7);
  }

  @Test
  void aCommitIsSeenAtOnce() throws Exception {
    for (int i = 0; i < 50; i++) {
      assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(1000L + i);
      assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(1000L + i);
      other.update("INSERT INTO t VALUES (-1, 0)");
    }
  }

  @Test
  void aTransactionSeesItsOwn() throws Exception {
    client.value("SELECT count(*) FROM t");
    Transaction transaction = client.sql().beginTransaction();
    client.sql().executeUpdate("DELETE FROM t", transaction);
    try (var stream = client.stream(client.sql().execute("SELECT count(*) FROM t", transaction))) {
      assertThat(TestingClient.rows(stream)).isEqualTo(List.of(List.of(0L)));
    }
    client.sql().rollback(transaction);
    assertHits(1, () -> assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(1000L));
  }

  @Test
  void temporaryTablesComeFirst() throws Exception {
    client.value("SELECT count(*) FROM t");
    other.update("CREATE TEMP TABLE t AS SELECT 1 AS i");
    assertThat(other.value("SELECT count(*) FROM t")).isEqualTo(1L);
    other.update("DROP TABLE temp.main.t");
    assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(1000L);
  }

  @Test
  void rightsAreLookedAtEachTime() throws Exception {
    client.update("CREATE OR REPLACE TABLE open AS SELECT 1 AS i");
    client.value("SELECT sum(v) FROM t");
    client.value("SELECT i FROM open");
    try (TestingClient nora = server.connect("nora")) {
      assertFails(Status.Code.PERMISSION_DENIED, () -> nora.value("SELECT sum(v) FROM t"));
      assertHits(1, () -> assertThat(nora.value("SELECT i FROM open")).isEqualTo(1));
    }
  }

  @Test
  void preparedStatementsHaveTheirValues() throws Exception {
    try (PreparedStatement prepared = client.sql().prepare("SELECT v FROM t WHERE i = ?::BIGINT")) {
      assertHits(
          0,
          () -> {
            for (long i = 0; i < 3; i++) {
              assertThat(run(prepared, i)).isEqualTo(List.of(List.of(2 * i)));
            }
          });
      assertHits(1, () -> assertThat(run(prepared, 1)).isEqualTo(List.of(List.of(2L))));
    }
  }

  private List<List<Object>> run(PreparedStatement prepared, long value) throws Exception {
    try (var number = new BigIntVector("1", client.allocator());
        var root = new VectorSchemaRoot(List.of(number))) {
      number.setSafe(0, value);
      root.setRowCount(1);
      prepared.setParameters(root);
      try (var stream = client.stream(prepared.execute())) {
        return TestingClient.rows(stream);
      }
    }
  }

  @Test
  void aPlanIsUsedAgainAfterAHit() throws Exception {
    try (PreparedStatement prepared = client.sql().prepare("SELECT sum(v) FROM t")) {
      for (int hits = 0; hits < 3; hits++) {
        assertHits(
            Math.min(hits, 1),
            () -> {
              try (var stream = client.stream(prepared.execute())) {
                assertThat(TestingClient.rows(stream)).hasSize(1);
              }
            });
      }
      other.update("DELETE FROM t");
      try (var stream = client.stream(prepared.execute())) {
        assertThat(TestingClient.rows(stream).getFirst().getFirst()).isNull();
      }
    }
  }

  @Test
  void whatLooksAtNothingIsGivenAgainAfterACommitToo() throws Exception {
    String query = "SELECT 1 AS one, 'two' AS two, NULL";
    List<List<Object>> first = client.rows(query);
    other.update("DELETE FROM t WHERE i = 1");
    assertHits(1, () -> assertThat(other.rows(query)).isEqualTo(first));
    assertThat(first).isEqualTo(List.of(Arrays.asList(1, "two", null)));
  }

  @Test
  void whatLooksAtNothingIsPreparedFromWhatIsKept() throws Exception {
    String query = "SELECT 42 AS answer";
    client.rows(query);
    for (int i = 0; i < 3; i++) {
      try (PreparedStatement prepared = client.sql().prepare(query)) {
        assertThat(prepared.getResultSetSchema().getFields())
            .isEqualTo(client.info(query).getSchemaOptional().orElseThrow().getFields());
        assertThat(prepared.getParameterSchema().getFields()).isEmpty();
        for (int run = 0; run < 2; run++) {
          assertHits(1, () -> assertThat(run(prepared)).isEqualTo(List.of(List.of(42))));
        }
      }
    }
  }

  @Test
  void aStateOfTheSessionTurnsItOff() throws Exception {
    client.rows("SELECT 10 / 4");
    client.rows("SELECT 10");
    other.update("SET integer_division = true");
    assertHits(
        0,
        () -> {
          assertThat(other.value("SELECT 10 / 4")).isEqualTo(2);
          assertThat(other.value("SELECT 10")).isEqualTo(10);
        });
  }

  @Test
  void whatIsKeptIsPreparedOnlyOnItsSnapshot() throws Exception {
    client.update("CREATE OR REPLACE TABLE changing AS SELECT 1 AS i");
    String query = "SELECT * FROM changing";
    client.rows(query);
    try (PreparedStatement kept = client.sql().prepare(query)) {
      assertThat(names(kept)).containsExactly("i");
      assertHits(1, () -> assertThat(run(kept)).isEqualTo(List.of(List.of(1))));
      other.update("CREATE OR REPLACE TABLE changing AS SELECT 'x' AS j, 2 AS k");
      assertHits(0, () -> assertThat(run(kept)).isEqualTo(List.of(List.of("x", 2))));
      try (PreparedStatement planned = client.sql().prepare(query)) {
        assertThat(names(planned)).containsExactly("j", "k");
      }
    }
  }

  private static List<String> names(PreparedStatement prepared) {
    return prepared.getResultSetSchema().getFields().stream().map(Field::getName).toList();
  }

  private List<List<Object>> run(PreparedStatement prepared) throws Exception {
    try (var stream = client.stream(prepared.execute())) {
      return TestingClient.rows(stream);
    }
  }

  @Test
  void rightsAreLookedAtWhenItIsPrepared() throws Exception {
    client.rows("SELECT sum(v) FROM t");
    try (TestingClient nora = server.connect("nora")) {
      assertFails(
          Status.Code.PERMISSION_DENIED, () -> nora.sql().prepare("SELECT sum(v) FROM t").close());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"SELECT sum(v) FROM t", "SELECT 1"})
  void aStatementThatWantsNoneIsRun(String query) throws Exception {
    client.rows(query);
    var headers = new FlightCallHeaders();
    headers.insert("result-cache", "false");
    var anew = new HeaderCallOption(headers);
    assertHits(
        0,
        () -> {
          client.stream(client.info(query, anew)).close();
          try (PreparedStatement prepared = client.sql().prepare(query)) {
            client.stream(prepared.execute(anew)).close();
          }
        });
    assertHits(1, () -> client.rows(query));
  }

  @Test
  void aSessionThatWantsNoneHasNone() throws Exception {
    client.value("SELECT sum(i) FROM t");
    set(other, false);
    assertHits(0, () -> other.value("SELECT sum(i) FROM t"));
    set(other, true);
    assertHits(1, () -> other.value("SELECT sum(i) FROM t"));
  }

  private static void set(TestingClient of, boolean whether) {
    var result =
        of.flight()
            .setSessionOptions(
                new SetSessionOptionsRequest(
                    Map.of(
                        "result_cache",
                        SessionOptionValueFactory.makeSessionOptionValue(whether))));
    assertThat(result.getErrors()).isEmpty();
  }

  @Test
  void largeResultsAreNotKept() throws Exception {
    String query = "SELECT a.i, b.i AS j FROM t a, t b";
    assertHits(
        0,
        () -> {
          client.rows(query);
          client.rows(query);
        });
  }

  @Test
  void whatIsKeptHasAnEnd() throws Exception {
    for (int i = 0; i < 300; i++) {
      client.rows("SELECT i, v, %d AS n FROM t".formatted(i));
    }
    assertThat(server.server().keptBytes()).isLessThan(4_000_000);
    assertRepeated("SELECT i, v, 299 AS n FROM t");
  }
}
