package com.lokryn.ducklake.observe;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.Scrape;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingUsers;
import io.grpc.Status;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.sql.FlightSqlClient;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableExistsOption;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableNotExistOption;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Each number moves when what it counts happens. */
class MetricsIT {
  private static final String BLOCKING =
      "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range % 7 = b.range % 5";

  private static final String ENDLESS = "SELECT i, i::VARCHAR AS s FROM range(1000000000000) t(i)";

  private static final ExecutorService THREADS = Executors.newCachedThreadPool();

  @AfterAll
  static void stop() {
    THREADS.shutdownNow();
  }

  /** A server with an HTTP port. */
  private record Observed(TestingLakeServer server, int port) implements AutoCloseable {
    static Observed start(Map<String, String> settings) throws Exception {
      TestingLakeServer server = TestingLakeServer.start(settings);
      return new Observed(server, server.server().listenHttp(0));
    }

    double of(String name) {
      return Scrape.of(port).of(name);
    }

    void await(String name, double value) {
      org.awaitility.Awaitility.await().untilAsserted(() -> assertThat(of(name)).isEqualTo(value));
    }

    @Override
    public void close() throws Exception {
      server.close();
    }
  }

  private static String queries(String kind, String outcome) {
    return "queries_total{kind=\"%s\",outcome=\"%s\"}".formatted(kind, outcome);
  }

  @Test
  void countsStatementsByWhatTheyDoAndHowTheyEnd() throws Exception {
    try (var observed = Observed.start(Map.of());
        TestingClient client = observed.server.connect()) {
      client.update("CREATE TABLE t AS SELECT i FROM range(10) t(i)");
      client.update("INSERT INTO t VALUES (10), (11), (12)");
      assertThat(client.rows("FROM t")).hasSize(13);
      observed.await(queries("create", "done"), 1);
      observed.await(queries("insert", "done"), 1);
      observed.await(queries("select", "done"), 1);
      assertThat(observed.of("rows_total{kind=\"insert\"}")).isEqualTo(3);
      assertThat(observed.of("rows_total{kind=\"select\"}")).isEqualTo(13);
      assertThat(observed.of("query_duration_seconds_count")).isEqualTo(3);
      for (String phase : new String[] {"queue", "plan", "first_batch"}) {
        assertThat(observed.of("query_phase_seconds_count{phase=\"%s\"}".formatted(phase)))
            .isEqualTo(3);
      }
      assertThat(observed.of("query_phase_seconds_count{phase=\"stream\"}")).isEqualTo(1);
      assertThat(observed.of("query_phase_seconds_bucket{phase=\"plan\",le=\"+Inf\"}"))
          .isEqualTo(3);
      assertThat(observed.of("query_seconds_total")).isPositive();
      assertThat(observed.of("sent_bytes_total")).isPositive();
      assertThat(observed.of("queries_running")).isZero();
    }
  }

  @Test
  void countsWhatFailsBeforeItIsRunToo() throws Exception {
    try (var observed = Observed.start(Map.of());
        TestingClient client = observed.server.connect()) {
      assertFails(Status.Code.NOT_FOUND, () -> client.info("SELECT * FROM missing"));
      observed.await(queries("select", "failed"), 1);
      assertThat(observed.of("engine_errors_total{error=\"missing\"}")).isEqualTo(1);
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.update("ATTACH 'x.db'"));
      observed.await(queries("other", "failed"), 1);
      assertFails(Status.Code.NOT_FOUND, () -> client.sql().prepare("SELECT * FROM missing"));
      observed.await(queries("select", "failed"), 2);
      assertFails(Status.Code.INVALID_ARGUMENT, () -> client.info("SELECT 'a"));
      observed.await(queries("select", "failed"), 3);
      assertThat(observed.of(queries("select", "done"))).isZero();
      assertThat(observed.of("queries_running")).isZero();
    }
  }

  @Test
  void tellsWhatClientsEndFromWhatTheServerEnds() throws Exception {
    try (var observed = Observed.start(Map.of("query_timeout", "3s", "max_result_bytes", "40MB"));
        TestingClient client = observed.server.connect()) {
      try (FlightStream stream = client.open(ENDLESS)) {
        assertThat(stream.next()).isTrue();
        stream.cancel("enough", null);
      }
      observed.await(queries("select", "cancelled"), 1);
      assertFails(Status.Code.DEADLINE_EXCEEDED, () -> client.info(BLOCKING));
      observed.await(queries("select", "stopped"), 1);
      assertFails(
          Status.Code.RESOURCE_EXHAUSTED,
          () -> {
            try (FlightStream stream = client.open(ENDLESS)) {
              while (stream.next()) {
                stream.getRoot();
              }
            }
          });
      observed.await(queries("select", "stopped"), 2);
      assertThat(observed.of("refused_total{limit=\"result_size\"}")).isEqualTo(1);
      try (TestingClient gone = observed.server.connect()) {
        gone.info("SELECT 1 AS one");
        assertThat(observed.of("results_waiting")).isEqualTo(1);
        assertThat(observed.of("queries_running")).isEqualTo(1);
        gone.die();
      }
      observed.await(queries("select", "abandoned"), 1);
      observed.await("results_waiting", 0);
    }
  }

  @Test
  void showsWhatWaitsAndWhatIsRefused() throws Exception {
    try (var observed =
            Observed.start(Map.of("max_concurrent_queries", "1", "queue_timeout", "1s"));
        TestingClient busy = observed.server.connect();
        TestingClient waiting = observed.server.connect()) {
      var _ = CompletableFuture.runAsync(() -> busy.info(BLOCKING), THREADS);
      observed.await("queue_running{lane=\"statements\"}", 1);
      var refused =
          CompletableFuture.runAsync(
              () -> assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> waiting.info("SELECT 1")),
              THREADS);
      observed.await("queue_length{lane=\"statements\"}", 1);
      refused.get();
      assertThat(observed.of("refused_total{limit=\"queue_timeout\"}")).isEqualTo(1);
      assertThat(observed.of("queue_length{lane=\"statements\"}")).isZero();
      busy.die();
      await().ignoreExceptions().until(() -> waiting.value("SELECT 1").equals(1));
      observed.await("queue_running{lane=\"statements\"}", 0);
      // What had no turn was no statement.
      assertThat(observed.of(queries("select", "done"))).isEqualTo(1);
    }
  }

  @Test
  void measuresTheTimeThatStatementsWait() throws Exception {
    try (var observed =
            Observed.start(Map.of("max_concurrent_queries", "1", "query_timeout", "1s"));
        TestingClient busy = observed.server.connect();
        TestingClient waiting = observed.server.connect()) {
      var _ = CompletableFuture.runAsync(() -> busy.info(BLOCKING), THREADS);
      observed.await("queue_running{lane=\"statements\"}", 1);
      assertThat(waiting.value("SELECT 1")).isEqualTo(1);
      await()
          .untilAsserted(
              () ->
                  assertThat(observed.of("query_phase_seconds_sum{phase=\"queue\"}"))
                      .isBetween(0.1, 5.0));
      assertThat(observed.of("query_phase_seconds_sum{phase=\"plan\"}")).isLessThan(0.5);
      assertThat(observed.of("query_phase_seconds_sum{phase=\"first_batch\"}")).isBetween(0.5, 5.0);
    }
  }

  @Test
  void showsWhatClientsHold() throws Exception {
    try (var observed = Observed.start(Map.of());
        TestingClient client = observed.server.connect()) {
      assertThat(observed.of("sessions")).isZero();
      var transaction = client.sql().beginTransaction();
      assertThat(observed.of("transactions_open")).isEqualTo(1);
      assertThat(observed.of("connections")).isEqualTo(1);
      assertThat(observed.of("sessions")).isEqualTo(1);
      client.sql().rollback(transaction);
      assertThat(observed.of("transactions_open")).isZero();
      client.update("BEGIN");
      assertThat(observed.of("transactions_open")).isEqualTo(1);
      assertThat(observed.of("engine_connections")).isEqualTo(1);
      client.update("ROLLBACK");
      assertThat(observed.of("transactions_open")).isZero();
      try (FlightSqlClient.PreparedStatement _ = client.sql().prepare("SELECT 1 AS one")) {
        assertThat(observed.of("prepared_statements")).isEqualTo(1);
      }
      observed.await("prepared_statements", 0);
      try (FlightStream stream = client.open(ENDLESS)) {
        assertThat(stream.next()).isTrue();
        observed.await("streams_open", 1);
        assertThat(observed.of("batch_memory_bytes")).isPositive();
        assertThat(observed.of("transport_memory_bytes")).isPositive();
        stream.cancel("enough", null);
      }
      observed.await("streams_open", 0);
      observed.await("batch_memory_bytes", 0);
      client.die();
      observed.await("connections", 0);
      observed.await("sessions", 0);
    }
  }

  @Test
  void showsWhatTheEngineHolds() throws Exception {
    try (var observed = Observed.start(Map.of("memory_limit", "100MB"));
        TestingClient client = observed.server.connect()) {
      assertThat(observed.of("engine_memory_limit_bytes")).isEqualTo(100e6);
      assertThat(observed.of("engine_spilled_bytes")).isZero();
      try (FlightStream stream =
          client.open("SELECT * FROM range(20000000) t(i) ORDER BY hash(i), i DESC OFFSET 1000")) {
        assertThat(stream.next()).isTrue();
        assertThat(observed.of("engine_memory_bytes")).isPositive();
        assertThat(observed.of("engine_spilled_bytes")).isPositive();
        stream.cancel("enough", null);
      }
      observed.await("engine_spilled_bytes", 0);
      assertFails(
          Status.Code.RESOURCE_EXHAUSTED,
          () -> client.info("SELECT list(i) FROM range(1000000000) t(i)"));
      assertThat(observed.of("refused_total{limit=\"engine_memory\"}")).isEqualTo(1);
      assertThat(observed.of("engine_errors_total{error=\"out_of_memory\"}")).isEqualTo(1);
    }
  }

  @Test
  void countsTheLimitsOfClients() throws Exception {
    try (var observed =
            Observed.start(Map.of("max_connections", "1", "flight_users", "[" + root() + "]"));
        TestingClient guessing = TestingClient.of(observed.server.port(), "root", "wrong");
        TestingClient first = observed.server.connect("root");
        TestingClient second = observed.server.connect("root")) {
      assertThat(first.value("SELECT 1")).isEqualTo(1);
      assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> second.info("SELECT 1"));
      assertThat(observed.of("refused_total{limit=\"connections\"}")).isEqualTo(1);
      for (int i = 0; i < 12; i++) {
        assertThatThrownBy(() -> guessing.info("SELECT 1")).isNotNull();
      }
      assertThat(observed.of("refused_total{limit=\"logins\"}")).isPositive();
      String large = "SELECT '" + "x".repeat(33 << 20) + "'";
      assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> first.info(large));
      assertThat(observed.of("refused_total{limit=\"request_size\"}")).isEqualTo(1);
    }
  }

  @Test
  void countsWhatOneClientHoldsTooMuchOf() throws Exception {
    try (var observed =
            Observed.start(Map.of("memory_limit", "100MB", "max_temp_directory_size", "50MB"));
        TestingClient client = observed.server.connect();
        TestingClient sorting = observed.server.connect();
        TestingClient session = observed.server.connect()) {
      untilRefused(i -> client.sql().beginTransaction());
      assertThat(observed.of("refused_total{limit=\"transactions\"}")).isEqualTo(1);
      untilRefused(i -> client.info("SELECT " + i + " AS one"));
      assertThat(observed.of("refused_total{limit=\"waiting_results\"}")).isEqualTo(1);
      assertFails(
          Status.Code.RESOURCE_EXHAUSTED,
          () -> sorting.info("SELECT * FROM range(100000000) t(i) ORDER BY hash(i)"));
      assertThat(observed.of("refused_total{limit=\"spill\"}")).isEqualTo(1);
      session.update("BEGIN");
      var all =
          IntStream.range(0, 8)
              .mapToObj(i -> CompletableFuture.runAsync(() -> session.info(BLOCKING), THREADS))
              .toList();
      observed.await("refused_total{limit=\"session_queue\"}", 3);
      assertThat(all).filteredOn(CompletableFuture::isCompletedExceptionally).hasSize(3);
      session.die();
    }
  }

  private static void untilRefused(IntConsumer call) {
    assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> IntStream.range(0, 1_000).forEach(call));
  }

  private static String root() {
    return TestingUsers.user("root", "admin");
  }

  @Test
  void countsWhatIsUploaded() throws Exception {
    try (var observed = Observed.start(Map.of());
        TestingClient client = observed.server.connect()) {
      try (var root = VectorSchemaRoot.of(new IntVector("i", client.allocator()))) {
        ((IntVector) root.getVector("i")).setSafe(2, 7);
        root.setRowCount(3);
        var options =
            new FlightSqlClient.ExecuteIngestOptions(
                "uploaded",
                TableDefinitionOptions.newBuilder()
                    .setIfNotExist(TableNotExistOption.TABLE_NOT_EXIST_OPTION_CREATE)
                    .setIfExists(TableExistsOption.TABLE_EXISTS_OPTION_FAIL)
                    .build(),
                null,
                null,
                null);
        assertThat(client.sql().executeIngest(root, options)).isEqualTo(3);
      }
      observed.await(queries("ingest", "done"), 1);
      assertThat(observed.of("rows_total{kind=\"ingest\"}")).isEqualTo(3);
      assertThat(observed.of("received_bytes_total")).isPositive();
    }
  }

  @Test
  void countsWhatIsGivenAgain() throws Exception {
    try (var observed = Observed.start(Map.of());
        TestingClient client = observed.server.connect()) {
      for (int i = 0; i < 3; i++) {
        assertThat(client.value("SELECT 42 AS answer")).isEqualTo(42);
      }
      observed.await("result_cache_hits_total", 2);
      observed.await(queries("select", "done"), 3);
      assertThat(observed.of("result_cache_misses_total")).isEqualTo(1);
      assertThat(observed.of("query_phase_seconds_count{phase=\"stream\"}")).isEqualTo(3);
    }
  }
}
