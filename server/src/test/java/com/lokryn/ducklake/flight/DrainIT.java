package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingProxy;
import com.lokryn.ducklake.testing.TestingReadiness;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
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
    return drain(server);
  }

  private static FutureTask<Boolean> drain(TestingLakeServer which) {
    var drained = new FutureTask<>((Callable<Boolean>) () -> which.server().drain());
    Thread.ofPlatform().name("drain").start(drained);
    await().until(() -> !which.server().isReady());
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

  @Test
  void servesOnForAWhileAndSaysThatItIsNotReady() throws Exception {
    try (var other = TestingLakeServer.start(Map.of("drain_delay", "2s", "drain_timeout", "5s"));
        var readiness = new TestingReadiness(other.server().listenHttp(0), other.port());
        var old = other.connect()) {
      assertThat(old.value("SELECT 1")).isEqualTo(1);
      FutureTask<Boolean> drained = drain(other);
      assertThat(readiness.missing()).containsExactly("drain");
      assertThat(readiness.health()).isEqualTo(ServingStatus.NOT_SERVING);
      assertThat(old.value("SELECT 2")).isEqualTo(2);
      try (var late = other.connect()) {
        assertThat(late.value("SELECT 3")).isEqualTo(3);
      }
      assertThat(drained.isDone()).isFalse();
      assertThat(drained.get()).isTrue();
    }
  }

  @Test
  void waitsForAClientToComeForItsResult() throws Exception {
    FlightInfo waits = client.info("SELECT 7 AS i");
    FutureTask<Boolean> drained = drain();
    assertThat(drained.isDone()).isFalse();
    try (FlightStream late = client.stream(waits)) {
      assertThat(TestingClient.rows(late).getFirst().getFirst()).isEqualTo(7);
    }
    assertThat(drained.get()).isTrue();
  }

  @Test
  void sendsClientsAwayThatHaveNothingWhileOthersAreServed() throws Exception {
    try (var network = TestingProxy.to(server.port());
        var idle = new TestingClient(network.port());
        FlightStream stream = client.open(MANY)) {
      assertThat(idle.value("SELECT 1")).isEqualTo(1);
      assertThat(stream.next()).isTrue();
      long before = network.connections();
      FutureTask<Boolean> drained = drain();
      // The driver connects again by itself; here that is to the same server.
      await()
          .atMost(Duration.ofSeconds(3))
          .until(
              () -> {
                assertFails(Status.Code.UNAVAILABLE, () -> idle.info("SELECT 1"));
                return network.connections() > before;
              });
      assertThat(drained.isDone()).isFalse();
      while (stream.next()) {
        // It goes on.
      }
      assertThat(drained.get()).isTrue();
    }
  }

  @Test
  void doesNotWaitOnceItIsHurried() throws Exception {
    try (var other = TestingLakeServer.start(Map.of("drain_delay", "1m", "drain_timeout", "1m"));
        var slow = other.connect();
        FlightStream stream = slow.open(MANY.replace("range(", "range(100000000000 + "))) {
      assertThat(stream.next()).isTrue();
      FutureTask<Boolean> drained = drain(other);
      other.server().hurry();
      assertThat(drained.get(5, TimeUnit.SECONDS)).isFalse();
    }
  }
}
