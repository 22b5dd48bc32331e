package com.lokryn.ducklake.production;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.lokryn.ducklake.testing.FaultyS3;
import com.lokryn.ducklake.testing.FaultyS3.Fate;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingPostgres;
import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingRemoteServer;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** S3 or Postgres fail under a server, which says so in time, and goes on when they are back. */
@Timeout(120)
class FaultsIT {
  /** Ten connections to Postgres. */
  private static final Map<String, String> SMALL = Map.of("max_concurrent_queries", "1");

  private static TestingProduction services;
  private static FaultyS3 s3;
  private static String lake;
  private static TestingRemoteServer server;
  private static int tables;
  private TestingClient client;
  private String table;

  @BeforeAll
  static void start() throws Exception {
    services = new TestingProduction();
    lake = services.newLake();
    s3 = new FaultyS3(services.aws().endpoint());
    server = TestingRemoteServer.start(services, lake, s3.endpoint(), SMALL);
  }

  @AfterAll
  static void stop() {
    server.close();
    s3.close();
    services.close();
  }

  /** Files that no cache of the engine's knows. */
  @BeforeEach
  void makeTable() {
    client = server.connect();
    table = "t" + tables++;
    client.update("CREATE TABLE %s AS SELECT i FROM range(1000) r(i)".formatted(table));
  }

  @AfterEach
  void everythingIsBack() throws Exception {
    assertThat(client.value("SELECT count(*) FROM " + table)).isEqualTo(1000L);
    assertThat(client.update("INSERT INTO %s SELECT i FROM range(100) r(i)".formatted(table)))
        .isEqualTo(100);
    assertThat(client.value("SELECT count(*) FROM " + table)).isEqualTo(1100L);
    await().atMost(Duration.ofSeconds(5)).until(() -> server.server().openConnections() == 0);
    assertThat(services.postgres().connections(lake)).isLessThanOrEqualTo(10);
    client.close();
  }

  static List<Fate> faults() {
    return List.of(FaultyS3.SLOW_DOWN, FaultyS3.ACCESS_DENIED, FaultyS3.EXPIRED, new Fate.Cut());
  }

  @ParameterizedTest
  @MethodSource("faults")
  void s3Fails(Fate fault) {
    s3.all(fault);
    try {
      assertUnavailable(this::read);
      assertUnavailable(this::write);
    } finally {
      s3.all(FaultyS3.PASSED);
    }
  }

  @Test
  void s3AsksToSlowDownNowAndThen() throws Exception {
    var asked = new ConcurrentHashMap<String, AtomicInteger>();
    s3.each(
        request ->
            asked
                        .computeIfAbsent(
                            request.method() + request.path(), _ -> new AtomicInteger())
                        .getAndIncrement()
                    < 2
                ? FaultyS3.SLOW_DOWN
                : FaultyS3.PASSED);
    try {
      read();
      write();
    } finally {
      s3.all(FaultyS3.PASSED);
    }
    client.update("DELETE FROM %s".formatted(table));
    client.update("INSERT INTO %s SELECT i FROM range(1000) r(i)".formatted(table));
    assertThat(asked).hasSizeGreaterThanOrEqualTo(2);
  }

  @Test
  void s3AnswersNothing() {
    s3.all(new Fate.Silent());
    try {
      assertUnavailable(this::read);
      assertUnavailable(this::write);
    } finally {
      s3.all(FaultyS3.PASSED);
    }
  }

  @Test
  void s3IsNotThere() {
    s3.stopListening();
    try {
      assertUnavailable(this::read);
      assertUnavailable(this::write);
    } finally {
      s3.listenAgain();
    }
  }

  @Test
  void postgresIsStoppedAndStartedAgain() {
    services.postgres().stop();
    try {
      assertUnavailable(this::read);
      assertUnavailable(this::write);
    } finally {
      services.postgres().startAgain();
    }
  }

  @Test
  void postgresEndsConnectionsThatNobodyUses() {
    assertThat(services.postgres().cutConnections(lake)).isTrue();
  }

  @Test
  void postgresEndsTheConnectionOfATransaction() {
    endConnectionInTransaction();
  }

  private void endConnectionInTransaction() {
    client.update("BEGIN");
    client.update("INSERT INTO %s SELECT i FROM range(100) r(i)".formatted(table));
    services.postgres().cutConnections(lake);
    assertUnavailable(() -> client.update("COMMIT"));
  }

  /** More often than the pool has connections: DuckDB loses one each time. */
  @Test
  void postgresEndsConnectionsInTransactionsAgainAndAgain() throws Exception {
    for (int i = 0; i < 15; i++) {
      endConnectionInTransaction();
      read();
    }
  }

  @Test
  void conflictsStayConflicts() throws Exception {
    try (TestingClient other = server.connect()) {
      String shared = table + "_shared";
      client.update("CREATE TABLE %s AS SELECT i FROM range(1000) r(i)".formatted(shared));
      client.update("BEGIN");
      client.update("DELETE FROM %s WHERE i < 500".formatted(shared));
      other.update("DELETE FROM %s WHERE i < 600".formatted(shared));
      // Arrow's client does not know this status.
      assertFails(Status.Code.ABORTED, () -> client.raw().getFlightInfo(command("COMMIT")))
          .contains("onflict");
    }
  }

  private static Flight.FlightDescriptor command(String sql) {
    var query = FlightSql.CommandStatementQuery.newBuilder().setQuery(sql).build();
    return Flight.FlightDescriptor.newBuilder()
        .setType(Flight.FlightDescriptor.DescriptorType.CMD)
        .setCmd(Any.pack(query).toByteString())
        .build();
  }

  private void read() throws Exception {
    client.value("SELECT sum(i) FROM " + table);
  }

  private void write() {
    client.update("INSERT INTO %s SELECT i FROM range(100) r(i)".formatted(table));
  }

  private static void assertUnavailable(ThrowingCallable call) {
    long started = System.nanoTime();
    assertFails(Status.Code.UNAVAILABLE, call)
        .hasSizeGreaterThan(30)
        .doesNotContain(TestingPostgres.PASSWORD)
        .doesNotContain(TestingRemoteServer.SECRET_KEY);
    assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(60));
  }
}
