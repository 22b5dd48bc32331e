package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.apache.arrow.flight.FlightInfo;
import org.apache.arrow.flight.FlightStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a server that is told to stop still does. */
class DrainIT {
  private static final int ROWS = 3_000_000;
  private static final String MANY =
      "SELECT i, i::VARCHAR AS s FROM range(%d) r(i)".formatted(ROWS);

  private TestingLakeServer server;
  private TestingClient client;

  @BeforeEach
  void start() throws Exception {
    server = TestingLakeServer.start(Map.of("drain_timeout", "5s"));
    client = server.connect();
  }

  @AfterEach
  void stop() throws Exception {
    client.close();
    server.close();
  }

  private FutureTask<Boolean> drain() {
    var drained = new FutureTask<>((Callable<Boolean>) () -> server.server().drain());
    Thread.ofPlatform().name("drain").start(drained);
    await().until(() -> !server.server().isReady());
    return drained;
  }

  @Test
  void whatRunsOrWaitsForItsClientIsGivenWholeAndNothingNewBegins() throws Exception {
    FlightInfo waits = client.info("SELECT 7 AS i");
    try (FlightStream stream = client.open(MANY)) {
      assertThat(stream.next()).isTrue();
      FutureTask<Boolean> drained = drain();
      assertFails(Status.Code.UNAVAILABLE, () -> client.info("SELECT 1"));
      assertFails(Status.Code.UNAVAILABLE, () -> client.update("CREATE TABLE t (i INT)"));
      assertThat(drained.isDone()).isFalse();
      try (FlightStream late = client.stream(waits)) {
        assertThat(TestingClient.rows(late).getFirst().getFirst()).isEqualTo(7);
      }
      long rows = stream.getRoot().getRowCount();
      while (stream.next()) {
        rows += stream.getRoot().getRowCount();
      }
      assertThat(rows).isEqualTo(ROWS);
      assertThat(drained.get()).isTrue();
    }
  }

  @Test
  void whatDoesNotEndIsCancelledAndSaysWhy() throws Exception {
    try (FlightStream stream = client.open(MANY.replace("range(", "range(100000000000 + "))) {
      assertThat(stream.next()).isTrue();
      FutureTask<Boolean> drained = drain();
      assertFails(
          Status.Code.UNAVAILABLE,
          () -> {
            while (stream.next()) {
              // It ends with the reason.
            }
          });
      assertThat(drained.get()).isFalse();
    }
  }

  @Test
  void anIdleServerStopsAtOnce() throws Exception {
    assertThat(client.value("SELECT 1")).isEqualTo(1);
    FutureTask<Boolean> drained = drain();
    await().atMost(Duration.ofSeconds(2)).until(drained::isDone);
    assertThat(drained.get()).isTrue();
  }
}
