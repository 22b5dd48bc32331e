package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.arrow.flight.CallOptions;
import org.apache.arrow.flight.FlightStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Beyond a limit a statement ends with the name of the limit, and those of others go on. */
class LimitsIT {
  /** Takes minutes before it gives its first row. */
  private static final String BLOCKING =
      "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range % 7 = b.range % 5";

  private static final String SORT =
      "SELECT * FROM range(%d) t(i) ORDER BY hash(i), i DESC OFFSET 1000";

  private static final ExecutorService THREADS = Executors.newCachedThreadPool();

  @AfterAll
  static void stop() {
    THREADS.shutdownNow();
  }

  /** Fills a server that runs one statement at a time. */
  private static CompletableFuture<?> occupy(TestingLakeServer server, TestingClient client) {
    var running = CompletableFuture.runAsync(() -> client.info(BLOCKING), THREADS);
    await().until(() -> server.server().openConnections() == 1);
    return running;
  }

  @Test
  void whatWaitsForASlotTooLongIsRefused() throws Exception {
    try (var server =
            TestingLakeServer.start(
                Map.of("max_concurrent_queries", "1", "queue_timeout", "500ms"));
        TestingClient busy = server.connect();
        TestingClient waiting = server.connect()) {
      var _ = occupy(server, busy);
      assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> waiting.info("SELECT 1"))
          .contains("queue_timeout", "max_concurrent_queries");
      assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> waiting.update("CREATE TABLE t (i INT)"))
          .contains("queue_timeout");
      busy.die();
      await().ignoreExceptions().until(() -> waiting.value("SELECT 1").equals(1));
    }
  }

  @Test
  void whatWaitsForASlotLeavesWithItsClient() throws Exception {
    try (var server = TestingLakeServer.start(Map.of("max_concurrent_queries", "1"));
        TestingClient busy = server.connect();
        TestingClient gone = server.connect();
        TestingClient late = server.connect()) {
      var _ = occupy(server, busy);
      var waits = new ArrayList<CompletableFuture<?>>();
      for (int i = 0; i < 20; i++) {
        waits.add(CompletableFuture.runAsync(() -> gone.info("SELECT 1"), THREADS));
      }
      await().until(() -> server.server().waitingStatements() == 20);
      assertFails(
          Status.Code.DEADLINE_EXCEEDED,
          () -> late.info("SELECT 1", CallOptions.timeout(300, TimeUnit.MILLISECONDS)));
      gone.die();
      await().atMost(Duration.ofSeconds(2)).until(() -> server.server().waitingStatements() == 0);
      assertThat(waits).allSatisfy(wait -> assertThat(wait).failsWithin(Duration.ofSeconds(2)));
      busy.die();
    }
  }

  /** Eight statements without an end of one session leave the server to the others. */
  @Test
  void oneSessionDoesNotTakeAllSlots() throws Exception {
    try (var server =
            TestingLakeServer.start(Map.of("max_concurrent_queries", "4", "queue_timeout", "10s"));
        TestingClient hostile = server.connect();
        TestingClient honest = server.connect()) {
      honest.update("CREATE TABLE t AS SELECT 42 AS i");
      for (int i = 0; i < 8; i++) {
        var _ = CompletableFuture.runAsync(() -> hostile.info(BLOCKING), THREADS);
      }
      await().until(() -> server.server().waitingStatements() >= 5);
      for (int i = 0; i < 10; i++) {
        assertThat(honest.value("SELECT i FROM t")).isEqualTo(42);
      }
      hostile.die();
    }
  }

  @Test
  void tooManyTransactionsAreRefused() throws Exception {
    try (var server = TestingLakeServer.start();
        TestingClient client = server.connect()) {
      for (int i = 0; i < TransactionHandler.MAX_OF_USER; i++) {
        var _ = client.sql().beginTransaction();
      }
      assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> client.sql().beginTransaction())
          .contains("transactions of a user");
      assertThat(client.value("SELECT 1")).isEqualTo(1);
    }
  }

  @Test
  void changesWhoseNumberOfRowsNobodyFetchesAreNoResultsThatWait() throws Exception {
    try (var server = TestingLakeServer.start();
        TestingClient client = server.connect()) {
      client.info("CREATE TEMPORARY TABLE changed (i INTEGER)");
      for (int i = 0; i < 100; i++) {
        client.info("INSERT INTO temp.changed VALUES (1)");
      }
      assertThat(client.value("SELECT count(*) FROM temp.changed")).isEqualTo(100L);
      assertFails(
              Status.Code.RESOURCE_EXHAUSTED,
              () -> IntStream.range(0, 65).forEach(i -> client.info("SELECT " + i + " AS one")))
          .contains("64 results of this session wait");
    }
  }

  @Test
  void aResultThatIsTooLargeEndsWithAnError() throws Exception {
    try (var server = TestingLakeServer.start(Map.of("max_result_bytes", "20MB"));
        TestingClient client = server.connect()) {
      long[] rows = {0};
      assertFails(
              Status.Code.RESOURCE_EXHAUSTED,
              () -> {
                try (FlightStream stream = client.open("SELECT i FROM range(10000000) t(i)")) {
                  while (stream.next()) {
                    rows[0] += stream.getRoot().getRowCount();
                  }
                }
              })
          .contains("max_result_bytes");
      assertThat(rows[0]).isBetween(1L, 20_000_000L / Long.BYTES);
      assertThat(client.rows("SELECT i FROM range(1000000) t(i)")).hasSize(1_000_000);
      await().until(() -> server.server().openConnections() == 0);
      await().until(() -> server.server().bufferBytes() == 0);
    }
  }

  @Test
  void aStatementThatNeedsTooMuchMemoryFailsAlone() throws Exception {
    try (var server = TestingLakeServer.start(Map.of("memory_limit", "200MB"));
        TestingClient greedy = server.connect();
        TestingClient other = server.connect()) {
      other.update("CREATE TABLE t AS SELECT i FROM range(100000) t(i)");
      var failing =
          CompletableFuture.runAsync(
              () ->
                  assertFails(
                          Status.Code.RESOURCE_EXHAUSTED,
                          () -> greedy.info("SELECT list(i) FROM range(1000000000) t(i)"))
                      .contains("memory_limit"),
              THREADS);
      do {
        assertThat(other.value("SELECT count(*) FROM t")).isEqualTo(100_000L);
      } while (!failing.isDone());
      failing.get();
      assertThat(greedy.value("SELECT 1")).isEqualTo(1);
    }
  }

  @Test
  void whatSpillsTooMuchFailsAndLeavesNothing(@TempDir Path spill) throws Exception {
    try (var server =
            TestingLakeServer.start(
                Map.of(
                    "memory_limit",
                    "100MB",
                    "max_temp_directory_size",
                    "50MB",
                    "temp_directory",
                    spill.toString()));
        TestingClient client = server.connect()) {
      assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> client.info(SORT.formatted(100_000_000)))
          .contains("max_temp_directory_size");
      await().until(() -> spilled(spill) == 0);
      assertThat(client.value("SELECT 1")).isEqualTo(1);
    }
  }

  @Test
  void whatSpillsLessSucceedsAndLeavesNothing(@TempDir Path spill) throws Exception {
    try (var server =
            TestingLakeServer.start(
                Map.of("memory_limit", "100MB", "temp_directory", spill.toString()));
        TestingClient client = server.connect()) {
      try (FlightStream stream = client.open(SORT.formatted(20_000_000))) {
        assertThat(stream.next()).isTrue();
        assertThat(spilled(spill)).isPositive();
      }
      await().until(() -> spilled(spill) == 0);
    }
  }

  private static long spilled(Path directory) throws Exception {
    try (Stream<Path> files = Files.walk(directory)) {
      List<Path> all = files.filter(Files::isRegularFile).toList();
      long bytes = 0;
      for (Path file : all) {
        bytes += Files.exists(file) ? Files.size(file) : 0;
      }
      return bytes;
    }
  }
}
