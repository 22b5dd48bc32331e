package com.lokryn.ducklake.cli;

import java.util.List;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightInfo;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.Location;
import org.apache.arrow.flight.sql.FlightSqlClient;
import org.apache.arrow.memory.RootAllocator;

/**
 * What a server and a client do most, done once: the launcher records which classes that takes, and
 * the virtual machine starts with them the next time (see bin/lib/training.sh).
 */
final class Training {
  private static final List<String> UPDATES =
      List.of(
          "CREATE TABLE training (id BIGINT, name VARCHAR, price DECIMAL(9, 2), day DATE)",
          "INSERT INTO training SELECT range, 'name ' || range, range / 100, DATE '2020-01-01'"
              + " FROM range(10000)",
          "UPDATE training SET name = 'none' WHERE id = 1");

  private static final List<String> QUERIES =
      List.of(
          "SELECT 1",
          "SELECT * FROM training",
          "SELECT day, sum(price), [1, 2] AS numbers, {'a': 1} AS pair, now() AS instant"
              + " FROM training GROUP BY day");

  private static final int SMALL_QUERIES = 500;
  private static final int LARGE_QUERIES = 2;

  private Training() {}

  /** Asks the server on a port of this machine. */
  static void run(int port) throws Exception {
    try (var allocator = new RootAllocator();
        var flight =
            FlightClient.builder(allocator, Location.forGrpcInsecure("127.0.0.1", port)).build();
        var client = new FlightSqlClient(flight)) {
      for (String update : UPDATES) {
        client.executeUpdate(update);
      }
      for (String query : QUERIES) {
        drain(client, client.execute(query));
        try (var prepared = client.prepare(query)) {
          drain(client, prepared.execute());
        }
      }
      drain(client, client.getTables(null, null, null, null, true));
      warm(client);
    }
  }

  /**
   * Often enough for the virtual machine to know which methods count: it keeps what it has learnt,
   * and compiles them early the next time.
   */
  private static void warm(FlightSqlClient client) throws Exception {
    for (int i = 0; i < SMALL_QUERIES; i++) {
      try (var prepared = client.prepare("SELECT 1")) {
        drain(client, prepared.execute());
      }
    }
    for (int i = 0; i < LARGE_QUERIES; i++) {
      drain(client, client.execute("SELECT range, 'row ' || range AS name FROM range(3000000)"));
    }
  }

  private static void drain(FlightSqlClient client, FlightInfo info) throws Exception {
    try (FlightStream stream = client.getStream(info.getEndpoints().getFirst().getTicket())) {
      while (stream.next()) {
        stream.getRoot();
      }
    }
  }
}
