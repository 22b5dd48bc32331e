package com.lokryn.ducklake.production;

import static com.lokryn.ducklake.testing.TestingMaintenance.WEEK;
import static com.lokryn.ducklake.testing.TestingMaintenance.done;
import static com.lokryn.ducklake.testing.TestingMaintenance.limits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.lake.LakeCatalog;
import com.lokryn.ducklake.lake.maintenance.Report;
import com.lokryn.ducklake.lake.maintenance.Step;
import com.lokryn.ducklake.testing.Ledger;
import com.lokryn.ducklake.testing.PlainDuckDb;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingMaintenance;
import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingRemoteServer;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.arrow.flight.FlightStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Maintenance of a lake that servers and DuckDB clients use at the same time. */
class MaintenanceIT {
  private static final String MERGE =
      "CALL system.main.ducklake_merge_adjacent_files('lake', 't', schema => 'main')";

  private static TestingProduction services;

  @BeforeAll
  static void start() {
    services = new TestingProduction();
  }

  @AfterAll
  static void stop() {
    services.close();
  }

  private static TestingRemoteServer server(String lake) throws Exception {
    return TestingRemoteServer.start(
        services, lake, services.aws().endpoint(), Map.of("result_cache_size", "0B"));
  }

  private static long scheduled(String lake) {
    return Long.parseLong(
        services
            .postgres()
            .value(lake, "SELECT count(*) FROM ducklake_files_scheduled_for_deletion"));
  }

  /** A table of six files with twenty numbers each. */
  private static void makeFiles(TestingClient client) {
    client.update("CREATE TABLE t (i INTEGER)");
    for (int i = 0; i < 6; i++) {
      client.update("INSERT INTO t SELECT range + %d FROM range(20)".formatted(20 * i));
    }
  }

  @Test
  void eachStepHasItsEffectAndOthersSeeTheSameRows() throws Exception {
    String lake = services.newLake();
    try (var server = server(lake);
        var client = server.connect()) {
      makeFiles(client);
      client.update("INSERT INTO t VALUES (1000)");
      client.update("CREATE TABLE d AS SELECT range AS i FROM range(1000)");
      client.update("DELETE FROM d WHERE i < 900");
      try (var maintenance = TestingMaintenance.of(services, lake)) {
        Report dry = maintenance.dryRun(limits(WEEK));
        assertThat(done(dry, Step.FLUSH)).isEqualTo(1);
        assertThat(done(dry, Step.MERGE)).isEqualTo(6);
        assertThat(done(dry, Step.REWRITE)).isEqualTo(1);
        assertThat(scheduled(lake)).isZero();
        Report report = maintenance.run(limits(WEEK));
        assertThat(report.steps()).allMatch(step -> step.problem().isEmpty());
        assertThat(done(report, Step.FLUSH)).isEqualTo(1);
        assertThat(done(report, Step.MERGE)).isEqualTo(7);
        assertThat(done(report, Step.REWRITE)).isEqualTo(1);
        assertThat(done(report, Step.CLEANUP)).isEqualTo(7);
        assertThat(client.value("SELECT sum(i)::BIGINT FROM t")).isEqualTo(8_140L);
        assertThat(client.value("SELECT count(*) FROM t AT (VERSION => 4)")).isEqualTo(60L);
        assertThat(client.value("SELECT count(*) FROM d")).isEqualTo(100L);
        Report all = maintenance.run(limits(Duration.ZERO));
        assertThat(done(all, Step.EXPIRE)).isPositive();
        assertThat(client.value("SELECT sum(i)::BIGINT FROM t")).isEqualTo(8_140L);
        assertThatThrownBy(() -> client.value("SELECT count(*) FROM t AT (VERSION => 4)"))
            .hasMessageContaining("No snapshot found at version 4");
        assertThat(
                client.value(
                    "SELECT commit_message FROM lake.snapshots() ORDER BY snapshot_id DESC LIMIT 1"))
            .isEqualTo("maintenance: rewrite files with deletes");
      }
    }
  }

  /** Its files are needed until it ends, however soon they would go otherwise. */
  @Test
  void aReaderThatBeganBeforeReadsToItsEnd() throws Exception {
    String lake = services.newLake();
    try (var server = server(lake);
        var client = server.connect();
        var other = server.connect()) {
      client.update("CREATE TABLE t (i BIGINT, filler VARCHAR)");
      for (int i = 0; i < 8; i++) {
        client.update(
            "INSERT INTO t SELECT range + %d, md5(range::VARCHAR) FROM range(20000)"
                .formatted(20_000 * i));
      }
      try (var maintenance = TestingMaintenance.of(services, lake);
          FlightStream stream = client.open("SELECT * FROM t, range(20)")) {
        assertThat(stream.next()).isTrue();
        long rows = stream.getRoot().getRowCount();
        Report report = maintenance.run(limits(Duration.ZERO));
        assertThat(done(report, Step.MERGE)).isEqualTo(8);
        assertThat(done(report, Step.CLEANUP)).isZero();
        assertThat(scheduled(lake)).isEqualTo(8);
        assertThat(other.value("SELECT count(*) FROM t")).isEqualTo(160_000L);
        while (stream.next()) {
          rows += stream.getRoot().getRowCount();
        }
        assertThat(rows).isEqualTo(3_200_000L);
      }
      try (var maintenance = TestingMaintenance.of(services, lake)) {
        // Servers leave the transactions of reads open for a moment.
        await().until(() -> done(maintenance.run(limits(Duration.ZERO)), Step.CLEANUP) == 8);
      }
      assertThat(scheduled(lake)).isZero();
      assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(160_000L);
    }
  }

  /** Its commit would get the number of a snapshot that has expired, and nobody would see it. */
  @Test
  void snapshotsSinceATransactionBeganDoNotExpire() throws Exception {
    String lake = services.newLake();
    try (var server = server(lake);
        var client = server.connect();
        var other = server.connect();
        var maintenance = TestingMaintenance.of(services, lake)) {
      client.update("CREATE TABLE t (i INTEGER)");
      client.update("BEGIN");
      assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(0L);
      for (int i = 0; i < 5; i++) {
        other.update("CREATE TABLE u%d AS SELECT %d AS x".formatted(i, i));
      }
      maintenance.run(limits(Duration.ZERO));
      client.update("CREATE TABLE v AS SELECT 1 AS i");
      client.update("COMMIT");
      assertThat(other.value("SELECT count(*) FROM v")).isEqualTo(1L);
      assertThat(other.value("SELECT x FROM u4")).isEqualTo(4);
      await().until(() -> done(maintenance.run(limits(Duration.ZERO)), Step.EXPIRE) > 0);
    }
  }

  @Test
  void filesWaitForTheirTime() throws Exception {
    String lake = services.newLake();
    try (var server = server(lake);
        var client = server.connect();
        var maintenance = TestingMaintenance.of(services, lake)) {
      makeFiles(client);
      Report report = maintenance.run(limits(WEEK, Duration.ofHours(2)));
      assertThat(done(report, Step.MERGE)).isEqualTo(6);
      assertThat(done(report, Step.CLEANUP)).isZero();
      assertThat(scheduled(lake)).isEqualTo(6);
    }
  }

  @Test
  void oneLeads() throws Exception {
    String lake = services.newLake();
    try (var server = server(lake);
        var client = server.connect();
        var maintenance = TestingMaintenance.of(services, lake);
        var second = TestingMaintenance.of(services, lake)) {
      makeFiles(client);
      var reports = new ArrayList<Report>();
      Report first =
          new com.lokryn.ducklake.lake.maintenance.Maintenance(
                  maintenance.engine(), maintenance.lake(), limits(WEEK))
              .run(
                  false,
                  step -> {
                    if (step.step() == Step.FLUSH) {
                      try {
                        reports.add(second.run(limits(WEEK)));
                      } catch (Exception e) {
                        throw new IllegalStateException(e);
                      }
                    }
                  });
      assertThat(first.leader()).isEmpty();
      assertThat(done(first, Step.MERGE)).isEqualTo(6);
      assertThat(reports)
          .singleElement()
          .satisfies(
              report -> {
                assertThat(report.leader())
                    .hasValueSatisfying(text -> assertThat(text).contains("since"));
                assertThat(report.steps()).isEmpty();
                assertThat(report.isOk()).isTrue();
              });
      assertThat(second.run(limits(WEEK)).leader()).isEmpty();
    }
  }

  /** DuckLake itself has the delete commit, and the row come back. */
  @Test
  void aDeleteThatSawTheFilesBeforeFailsAndIsTriedAgain() throws Exception {
    String lake = services.newLake();
    try (var server = server(lake);
        var client = server.connect();
        var maintenance = TestingMaintenance.of(services, lake);
        var plain = new PlainDuckDb(services, lake)) {
      makeFiles(client);
      plain.run("BEGIN");
      plain.run("DELETE FROM t WHERE i = 3");
      assertThat(done(maintenance.run(limits(WEEK)), Step.MERGE)).isEqualTo(6);
      assertThatThrownBy(() -> plain.run("COMMIT"))
          .isInstanceOf(SQLException.class)
          .hasMessageContaining("could not serialize");
      assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(120L);
      plain.run("DELETE FROM t WHERE i = 3");
      assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(119L);
    }
  }

  /** The same the other way round, for both ways to compact. */
  @Test
  void aCompactionThatMissedADeleteFails() throws Exception {
    String lake = services.newLake();
    try (var server = server(lake);
        var client = server.connect();
        var maintenance = TestingMaintenance.of(services, lake)) {
      makeFiles(client);
      client.update("CREATE TABLE warm (i INTEGER)");
      client.update("INSERT INTO warm SELECT range FROM range(50)");
      client.update("INSERT INTO warm SELECT range FROM range(50)");
      // Puts the triggers up; a merge by hand is caught by them, a rewrite when it is announced.
      maintenance.run(limits(WEEK));
      client.update("INSERT INTO t SELECT range + 500 FROM range(20)");
      long table =
          Long.parseLong(
              services
                  .postgres()
                  .value(lake, "SELECT table_id FROM ducklake_table WHERE table_name = 't'"));
      for (String compaction :
          List.of(
              MERGE,
              "CALL system.main.ducklake_rewrite_data_files('lake', 't', schema => 'main',"
                  + " delete_threshold => 0)")) {
        String rows = "i % 20 = " + (compaction.equals(MERGE) ? 7 : 8);
        if (!compaction.equals(MERGE)) {
          services
              .postgres()
              .run(
                  lake,
                  "INSERT INTO ducklake_flight_compaction SELECT %d, max(snapshot_id) FROM ducklake_snapshot"
                      .formatted(table));
        }
        try (EngineConnection connection = maintenance.engine().connect(LakeCatalog.NAMESPACE)) {
          connection.begin(false);
          assertThat(connection.rows(compaction)).isNotEmpty();
          assertThat(client.update("DELETE FROM t WHERE " + rows)).isEqualTo(7);
          assertThatThrownBy(connection::commit).hasMessageContaining("could not serialize");
        }
        assertThat(client.value("SELECT count(*) FROM t WHERE " + rows)).isEqualTo(0L);
      }
    }
  }

  /**
   * DuckLake drops a table of inlined rows that it has flushed when the form of its table has
   * changed since. In a server that looks for it the engine is lost.
   */
  @Test
  void aFlushLeavesTheTablesThatOthersLookFor() throws Exception {
    String lake = services.newLake();
    try (var server = server(lake);
        var client = server.connect();
        var reading = server.connect();
        var maintenance = TestingMaintenance.of(services, lake)) {
      client.update("CREATE TABLE t (i INTEGER)");
      client.update("INSERT INTO t VALUES (1)");
      client.update("ALTER TABLE t ADD COLUMN z INTEGER");
      client.update("INSERT INTO t VALUES (2, 2)");
      assertThat(client.value("SELECT count(*) FROM t AT (VERSION => 2)")).isEqualTo(1L);
      assertThat(client.value("SELECT count(*) FROM t AT (VERSION => 3)")).isEqualTo(1L);
      assertThat(done(maintenance.run(limits(WEEK)), Step.FLUSH)).isEqualTo(2);
      assertThat(reading.rows("SELECT i, z FROM t ORDER BY i"))
          .containsExactly(java.util.Arrays.asList(1, null), List.of(2, 2));
      assertThat(reading.value("SELECT count(*) FROM t AT (VERSION => 2)")).isEqualTo(1L);
      assertThat(reading.value("SELECT count(*) FROM t AT (VERSION => 3)")).isEqualTo(1L);
      assertThat(done(maintenance.run(limits(WEEK)), Step.FLUSH)).isZero();
      assertThat(server.server().retiredEngines()).isZero();
    }
  }

  /** What was acknowledged is there once, whatever is compacted meanwhile. */
  @Test
  void writersAndReadersGoOnWhileItRuns() throws Exception {
    String lake = services.newLake();
    var over = new AtomicBoolean();
    var deleted = new AtomicLong();
    var refused = new AtomicLong();
    var ledger = new Ledger();
    try (var one = server(lake);
        var two = server(lake);
        var client = one.connect();
        var maintenance = TestingMaintenance.of(services, lake)) {
      client.update("CREATE TABLE %s (request BIGINT, row_number INT)".formatted(Ledger.TABLE));
      client.update("CREATE TABLE numbers (i INTEGER)");
      for (int i = 0; i < 10; i++) {
        client.update("INSERT INTO numbers SELECT range + %d FROM range(100)".formatted(100 * i));
      }
      var threads = new ArrayList<Thread>();
      for (TestingRemoteServer server : List.of(one, two)) {
        for (int rows : List.of(3, 50)) {
          threads.add(
              Thread.ofPlatform()
                  .start(
                      () -> {
                        try (var writer = server.connect()) {
                          while (!over.get()) {
                            ledger.write(
                                rows,
                                (request, n) ->
                                    writer.update(
                                        "INSERT INTO %s %s"
                                            .formatted(Ledger.TABLE, Ledger.rows(request, n))));
                          }
                        } catch (Exception e) {
                          throw new IllegalStateException(e);
                        }
                      }));
        }
      }
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (var writer = two.connect()) {
                      for (int i = 0; !over.get() && i < 1_000; i++) {
                        try {
                          deleted.addAndGet(
                              writer.update("DELETE FROM numbers WHERE i = %d".formatted(i)));
                        } catch (RuntimeException e) {
                          refused.incrementAndGet();
                        }
                      }
                    } catch (Exception e) {
                      throw new IllegalStateException(e);
                    }
                  }));
      long end = System.nanoTime() + Duration.ofSeconds(12).toNanos();
      long merged = 0;
      while (System.nanoTime() < end) {
        Report report = maintenance.run(limits(WEEK));
        assertThat(report.isOk()).describedAs(report.toString()).isTrue();
        merged += done(report, Step.MERGE);
      }
      over.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(maintenance.run(limits(Duration.ZERO)).isOk()).isTrue();
      ledger.assertKept(client);
      assertThat(client.value("SELECT 1000 - count(*) FROM numbers")).isEqualTo(deleted.get());
      assertThat(merged).isPositive();
      assertThat(deleted.get()).isPositive();
      System.out.printf(
          "%d writes, %d deletes, %d refused, %d files merged%n",
          ledger.acknowledged(), deleted.get(), refused.get(), merged);
    }
  }
}
