package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.flight.CallOptions;
import org.apache.arrow.flight.CancelFlightInfoRequest;
import org.apache.arrow.flight.CancelStatus;
import org.apache.arrow.flight.FlightInfo;
import org.apache.arrow.flight.FlightStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whatever ends a query early stops the engine and frees the connection within a second. */
class CancelIT {
  /** Takes minutes before it gives its first row. */
  private static final String BLOCKING =
      "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range % 7 = b.range % 5";

  /** Gives rows for ever. */
  private static final String ENDLESS = "SELECT i, i::VARCHAR AS s FROM range(1000000000000) t(i)";

  private static final Duration SOON = Duration.ofSeconds(2);

  private TestingLakeServer server;
  private TestingClient client;

  @BeforeEach
  void start() throws Exception {
    server = TestingLakeServer.start();
    client = server.connect();
  }

  @AfterEach
  void stop() throws Exception {
    client.close();
    server.close();
  }

  @Test
  void whileRunning() throws Exception {
    try (TestingClient other = server.connect()) {
      var call = CompletableFuture.runAsync(() -> other.info(BLOCKING));
      await().until(() -> server.server().openConnections() == 1);
      other.die();
      assertIdle();
      assertThat(call).failsWithin(SOON);
    }
  }

  @Test
  void whileIdleBetweenBatches() throws Exception {
    try (FlightStream stream = client.open(ENDLESS)) {
      assertThat(stream.next()).isTrue();
      stream.cancel("enough", null);
      assertIdle();
    }
  }

  @Test
  void whileBlockedOnTheClient() throws Exception {
    FlightStream stream = client.open(ENDLESS);
    await().until(() -> server.server().openStreams() == 1);
    // The client takes nothing: the server has filled what the transport takes and waits.
    await().pollDelay(Duration.ofMillis(500)).until(() -> true);
    stream.cancel("enough", null);
    assertIdle();
    stream.close();
  }

  @Test
  void byCancelFlightInfo() throws Exception {
    FlightInfo info = client.info(ENDLESS);
    try (FlightStream stream = client.stream(info)) {
      assertThat(stream.next()).isTrue();
      assertThat(client.flight().cancelFlightInfo(new CancelFlightInfoRequest(info)).getStatus())
          .isEqualTo(CancelStatus.CANCELLED);
      assertFails(
          Status.Code.CANCELLED,
          () -> {
            while (stream.next()) {
              assertThat(stream.getRoot().getRowCount()).isPositive();
            }
          });
    }
    assertIdle();
  }

  @Test
  void byCancelFlightInfoBeforeTheTicketIsFetched() throws Exception {
    FlightInfo info = client.info(ENDLESS);
    client.flight().cancelFlightInfo(new CancelFlightInfoRequest(info));
    assertIdle();
    assertFails(
        Status.Code.NOT_FOUND,
        () -> {
          try (FlightStream stream = client.stream(info)) {
            stream.next();
          }
        });
  }

  @Test
  void theClientsDeadlineWhilePlanning() throws Exception {
    assertFails(
        Status.Code.DEADLINE_EXCEEDED,
        () -> client.info(BLOCKING, CallOptions.timeout(300, TimeUnit.MILLISECONDS)));
    assertIdle();
  }

  @Test
  void theClientsDeadlineWhileStreaming() throws Exception {
    FlightInfo info = client.info(ENDLESS);
    assertFails(
        Status.Code.DEADLINE_EXCEEDED,
        () -> {
          try (FlightStream stream =
              client.stream(info, CallOptions.timeout(500, TimeUnit.MILLISECONDS))) {
            while (stream.next()) {
              assertThat(stream.getRoot().getRowCount()).isPositive();
            }
          }
        });
    assertIdle();
  }

  @Test
  void aClientThatDies() throws Exception {
    try (TestingClient other = server.connect()) {
      FlightStream stream = other.open(ENDLESS);
      assertThat(stream.next()).isTrue();
      other.die();
      assertIdle();
    }
  }

  @Test
  void aClientThatDiesBeforeItFetches() throws Exception {
    try (TestingClient other = server.connect()) {
      other.info(ENDLESS);
      assertThat(server.server().openConnections()).isEqualTo(1);
      other.die();
      assertIdle();
    }
  }

  @Test
  void aStalledClient() throws Exception {
    try (var impatient = TestingLakeServer.start(Map.of("idle_session_timeout", "1s"));
        TestingClient stalled = impatient.connect();
        FlightStream stream = stalled.open(ENDLESS)) {
      await().until(() -> impatient.server().openStreams() == 1);
      await().atMost(Duration.ofSeconds(4)).until(() -> impatient.server().openConnections() == 0);
      assertFails(
          Status.Code.DEADLINE_EXCEEDED,
          () -> {
            while (stream.next()) {
              assertThat(stream.getRoot().getRowCount()).isPositive();
            }
          });
    }
  }

  @Test
  void theServersOwnTimeLimit() throws Exception {
    try (var strict = TestingLakeServer.start(Map.of("query_timeout", "1s"));
        TestingClient slow = strict.connect()) {
      assertFails(Status.Code.DEADLINE_EXCEEDED, () -> slow.info(BLOCKING))
          .contains("query_timeout");
      assertFails(Status.Code.DEADLINE_EXCEEDED, () -> slow.update("CREATE TABLE t AS " + BLOCKING))
          .contains("query_timeout");
      assertThat(strict.server().openConnections()).isZero();
      assertFails(Status.Code.NOT_FOUND, () -> slow.info("SELECT * FROM t"));
    }
  }

  @Test
  void aChangeThatIsCancelledChangesNothing() throws Exception {
    client.update("CREATE TABLE kept (i BIGINT)");
    try (TestingClient other = server.connect()) {
      var call =
          CompletableFuture.runAsync(
              () -> other.update("INSERT INTO kept SELECT i FROM range(1000000000) t(i)"));
      await().until(() -> server.server().openConnections() == 1);
      await().pollDelay(Duration.ofMillis(300)).until(() -> true);
      other.die();
      assertIdle();
      assertThat(call).failsWithin(SOON);
    }
    assertThat(client.value("SELECT count(*) FROM kept")).isEqualTo(0L);
  }

  private void assertIdle() {
    await().atMost(SOON).until(() -> server.server().openConnections() == 0);
    await().atMost(SOON).until(() -> server.server().openStreams() == 0);
    await().atMost(SOON).until(() -> server.server().bufferBytes() == 0);
  }
}
