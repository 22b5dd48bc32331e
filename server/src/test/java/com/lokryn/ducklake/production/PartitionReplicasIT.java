package com.lokryn.ducklake.production;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingRemoteServer;
import com.lokryn.ducklake.testing.TestingUsers;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.SessionOptionValueFactory;
import org.apache.arrow.flight.SetSessionOptionsRequest;
import org.apache.arrow.flight.Ticket;
import org.apache.arrow.flight.impl.Flight;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The parts of one result at the servers of a lake, with its catalog in Postgres. */
class PartitionReplicasIT {
  private static final String SECRET = "0123456789abcdef0123456789abcdef";
  private static final int PARTS = 4;
  private static TestingProduction services;
  private static TestingRemoteServer first;
  private static TestingRemoteServer second;
  private static TestingRemoteServer stranger;

  @BeforeAll
  static void start() throws Exception {
    services = new TestingProduction();
    String lake = services.newLake();
    first = serve(lake, SECRET, "main.t");
    second = serve(lake, SECRET, "main.other");
    stranger = serve(lake, SECRET.replace('0', '1'), "main.t");
    try (TestingClient root = first.connect("root")) {
      root.update("CREATE TABLE t (i BIGINT, v VARCHAR)");
      for (int file = 0; file < 8; file++) {
        root.update(
            "INSERT INTO t SELECT i, 'v' || i FROM range(%d, %d) r(i)"
                .formatted(1000 * file, 1000 * file + 1000));
      }
      root.update("DELETE FROM t WHERE i % 3 = 0");
      root.update("INSERT INTO t VALUES (-1, 'inlined')");
    }
  }

  private static TestingRemoteServer serve(String lake, String secret, String granted)
      throws Exception {
    return TestingRemoteServer.start(
        services,
        lake,
        services.aws().endpoint(),
        Map.of(
            "flight_token_secret",
            secret,
            "flight_users",
            "[%s, %s]"
                .formatted(
                    TestingUsers.user("root", "admin"),
                    TestingUsers.user(
                        "nora", "reader", "{\"%s\": \"select\"}".formatted(granted)))));
  }

  @AfterAll
  static void stop() throws Exception {
    first.close();
    second.close();
    stranger.close();
    services.close();
  }

  private static List<Ticket> tickets(TestingClient client, String query) {
    var result =
        client
            .flight()
            .setSessionOptions(
                new SetSessionOptionsRequest(
                    Map.of(
                        "partitions",
                        SessionOptionValueFactory.makeSessionOptionValue((long) PARTS))));
    assertThat(result.getErrors()).isEmpty();
    List<Ticket> tickets =
        client.info(query).getEndpoints().stream().map(one -> one.getTicket()).toList();
    assertThat(tickets).hasSize(PARTS);
    return tickets;
  }

  private static List<List<Object>> fetch(TestingRemoteServer server, String user, Ticket ticket)
      throws Exception {
    try (TestingClient client = server.connect(user);
        FlightStream stream = client.flight().getStream(ticket)) {
      return TestingClient.rows(stream);
    }
  }

  private static void assertRefused(
      Status.Code code, TestingRemoteServer server, String user, Ticket ticket) throws Exception {
    try (TestingClient client = server.connect(user)) {
      assertFails(
          code,
          () ->
              client
                  .raw()
                  .doGet(
                      Flight.Ticket.newBuilder()
                          .setTicket(ByteString.copyFrom(ticket.getBytes()))
                          .build())
                  .hasNext());
    }
  }

  private static List<String> sorted(List<List<Object>> rows) {
    return rows.stream().map(String::valueOf).sorted().toList();
  }

  @Test
  void partsAreReadFromServersInTurn() throws Exception {
    String query = "SELECT i, upper(v) AS u FROM t WHERE i % 2 = 0 OR i < 0";
    try (TestingClient root = first.connect("root");
        var readers = Executors.newFixedThreadPool(PARTS)) {
      List<String> whole = sorted(root.rows(query));
      List<Ticket> tickets = tickets(root, query);
      root.update("DELETE FROM t WHERE i > 7000");
      root.update("INSERT INTO t SELECT i, 'late' FROM range(20000, 21000) r(i)");
      List<Future<List<List<Object>>>> reading = new ArrayList<>();
      for (int i = 0; i < PARTS; i++) {
        TestingRemoteServer server = i % 2 == 0 ? second : first;
        Ticket ticket = tickets.get(i);
        reading.add(readers.submit(() -> fetch(server, "root", ticket)));
      }
      var rows = new ArrayList<List<Object>>();
      for (Future<List<List<Object>>> part : reading) {
        rows.addAll(part.get());
      }
      assertThat(sorted(rows)).isEqualTo(whole);
      for (Ticket ticket : tickets) {
        assertThat(sorted(fetch(first, "root", ticket)))
            .isEqualTo(sorted(fetch(second, "root", ticket)));
        assertRefused(Status.Code.NOT_FOUND, stranger, "root", ticket);
      }
    }
  }

  @Test
  void rightsAreThoseWhereAPartIsRead() throws Exception {
    try (TestingClient nora = first.connect("nora")) {
      Ticket ticket = tickets(nora, "FROM t").getFirst();
      assertThat(fetch(first, "nora", ticket)).isNotEmpty();
      assertRefused(Status.Code.PERMISSION_DENIED, second, "nora", ticket);
      assertRefused(Status.Code.NOT_FOUND, second, "root", ticket);
    }
  }
}
