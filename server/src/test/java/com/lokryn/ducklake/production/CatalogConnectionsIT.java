package com.lokryn.ducklake.production;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingRemoteServer;
import com.lokryn.ducklake.testing.TestingUsers;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flight.CancelFlightInfoRequest;
import org.apache.arrow.flight.FlightInfo;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.sql.FlightSqlClient.Transaction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * One user, who holds results and transactions open, cannot take all connections to Postgres: 12 of
 * a server that runs two statements at a time.
 */
class CatalogConnectionsIT {
  /** Larger than what the transport takes of it ahead. */
  private static final String LARGE = "SELECT a.s, b.i FROM large a, range(10000) b(i)";

  private static TestingProduction services;
  private static TestingRemoteServer server;

  private TestingClient greedy;
  private TestingClient honest;

  @BeforeAll
  static void start() throws Exception {
    services = new TestingProduction();
    server =
        TestingRemoteServer.start(
            services,
            services.newLake(),
            services.aws().endpoint(),
            Map.of(
                "flight_users",
                TestingUsers.each(),
                "max_concurrent_queries",
                "2",
                "queue_timeout",
                "1s",
                // What it has needs no connection.
                "result_cache_size",
                "0B"));
    try (TestingClient client = server.connect("root")) {
      client.update("CREATE TABLE large AS SELECT repeat('x', 1000) AS s FROM range(1000)");
    }
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
    services.close();
  }

  @BeforeEach
  void connect() throws Exception {
    greedy = server.connect("wanda");
    honest = server.connect("ria");
    // From here on it is one of several.
    ask();
  }

  @AfterEach
  void disconnect() throws Exception {
    honest.close();
    greedy.close();
    await().until(() -> server.server().openConnections() == 0);
  }

  private void ask() throws Exception {
    assertThat(honest.value("SELECT count(*) FROM large")).isEqualTo(1000L);
  }

  private interface Opening {
    AutoCloseable open();
  }

  /** Opens until it is refused. */
  private List<AutoCloseable> open(Opening opening) {
    List<AutoCloseable> opened = open(6, opening);
    assertThat(opened).hasSizeBetween(4, 6);
    return opened;
  }

  private static List<AutoCloseable> open(int most, Opening opening) {
    var opened = new ArrayList<AutoCloseable>();
    assertFails(
            Status.Code.RESOURCE_EXHAUSTED,
            () -> {
              for (int i = 0; i < 50; i++) {
                opened.add(opening.open());
              }
            })
        .contains("hold %d connections to the catalog".formatted(most), "Read or close some");
    return opened;
  }

  private AutoCloseable openUnfetched() {
    FlightInfo info = greedy.info(LARGE);
    return () -> greedy.sql().cancelFlightInfo(new CancelFlightInfoRequest(info));
  }

  private static void close(List<AutoCloseable> opened) throws Exception {
    for (AutoCloseable one : opened) {
      one.close();
    }
  }

  @Test
  void byResultsThatAreNotFetched() throws Exception {
    List<AutoCloseable> opened = open(this::openUnfetched);
    ask();
    close(opened);
    assertThat(greedy.value("SELECT count(*) FROM large")).isEqualTo(1000L);
  }

  @Test
  void byResultsThatAreNotRead() throws Exception {
    List<AutoCloseable> opened =
        open(
            () -> {
              FlightStream stream = greedy.open(LARGE);
              stream.next();
              return stream;
            });
    ask();
    close(opened);
  }

  /** The first of them lets its session pass the queue. */
  @Test
  void byTransactions() throws Exception {
    List<AutoCloseable> opened =
        open(
            9,
            () -> {
              Transaction transaction = greedy.sql().beginTransaction();
              greedy.sql().execute("SELECT count(*) FROM large", transaction);
              return () -> greedy.sql().rollback(transaction);
            });
    assertThat(opened).hasSizeBetween(8, 9);
    ask();
    close(opened);
    Transaction last = greedy.sql().beginTransaction();
    greedy.sql().rollback(last);
  }

  @Test
  void byResultsBesideATransaction() throws Exception {
    Transaction transaction = greedy.sql().beginTransaction();
    List<AutoCloseable> opened = open(9, this::openUnfetched);
    // What is in the transaction goes on.
    greedy.sql().executeUpdate("CREATE TABLE made (i INTEGER)", transaction);
    greedy.sql().commit(transaction);
    assertThat(honest.value("SELECT count(*) FROM made")).isEqualTo(0L);
    close(opened);
  }

  /** Two together can take all; those who find none wait for a while, and are told. */
  @Test
  void whoFindsNoneIsTold() throws Exception {
    try (TestingClient other = server.connect("root")) {
      var opened = new ArrayList<FlightStream>();
      for (int i = 0; i < 6; i++) {
        for (TestingClient client : List.of(greedy, other)) {
          opened.add(client.open(LARGE));
          assertThat(opened.getLast().next()).isTrue();
        }
      }
      assertFails(Status.Code.RESOURCE_EXHAUSTED, this::ask).contains("in a moment");
      for (FlightStream stream : opened) {
        stream.cancel("enough", null);
        stream.close();
      }
    }
    ask();
  }
}
