package com.lokryn.ducklake.production;

import static com.lokryn.ducklake.testing.TestingMaintenance.WEEK;
import static com.lokryn.ducklake.testing.TestingMaintenance.limits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.lake.maintenance.Maintenance;
import com.lokryn.ducklake.lake.maintenance.Report;
import com.lokryn.ducklake.lake.maintenance.Step;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingMaintenance;
import com.lokryn.ducklake.testing.TestingProcess;
import com.lokryn.ducklake.testing.TestingProduction;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The command, and servers that do the same, as processes of a lake in Postgres and S3. */
class MaintainCommandIT {
  private static final int INSERTS = 100;

  private static TestingProduction services;

  @BeforeAll
  static void start() {
    services = new TestingProduction();
  }

  @AfterAll
  static void stop() {
    services.close();
  }

  private static TestingProcess serve(Map<String, String> environment) {
    return TestingProcess.start(environment, "serve", "--host", "127.0.0.1", "--port", "0");
  }

  private static long number(String lake, String sql) {
    return Long.parseLong(services.postgres().value(lake, sql));
  }

  private static long files(String lake) {
    return number(lake, "SELECT count(*) FROM ducklake_data_file WHERE end_snapshot IS NULL");
  }

  private static void insert(TestingClient client) {
    client.update("CREATE TABLE t (i INTEGER)");
    for (int i = 0; i < INSERTS; i++) {
      client.update("INSERT INTO t SELECT range FROM range(20)");
    }
  }

  @Test
  void aPassBesideAServerThatIsKilledAndRunAgain() throws Exception {
    String lake = services.newLake();
    Map<String, String> environment = services.environment(lake);
    try (var server = serve(environment).listening();
        var client = new TestingClient(server.port())) {
      insert(client);
      try (var dry = TestingProcess.start(environment, "maintain", "--dry-run")) {
        assertThat(dry.exitCode()).describedAs(dry.errors().toString()).isZero();
        assertThat(dry.lines()).anyMatch(line -> line.contains("up to 100 files of 1 table"));
      }
      assertThat(files(lake)).isEqualTo(INSERTS);
      try (var killed = TestingProcess.start(environment, "maintain", "--retention", "0s")) {
        // It has begun to merge when the table is fenced.
        await()
            .atMost(Duration.ofSeconds(60))
            .pollInterval(Duration.ofMillis(5))
            .until(
                () ->
                    number(
                            lake,
                            "SELECT count(*) FROM pg_tables"
                                + " WHERE tablename = 'ducklake_flight_compaction'")
                        > 0);
        killed.kill();
      }
      assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(20L * INSERTS);
      // The lock of the one that was killed goes with its connection.
      await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () -> number(lake, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0);
      try (var again = TestingProcess.start(environment, "maintain", "--retention", "0s")) {
        assertThat(again.exitCode()).describedAs(again.errors().toString()).isZero();
        assertThat(again.lines()).last().asString().startsWith("✓ the lake is maintained");
        assertThat(again.lines()).anyMatch(line -> line.contains("may be needed yet and wait"));
      }
      assertThat(files(lake)).isEqualTo(1);
      assertThat(number(lake, "SELECT count(*) FROM ducklake_flight_compaction")).isZero();
      assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(20L * INSERTS);
    }
  }

  @Test
  void theSecondOneSaysWhoLeads() throws Exception {
    String lake = services.newLake();
    Map<String, String> environment = services.environment(lake);
    try (var server = serve(environment).listening();
        var client = new TestingClient(server.port());
        var leading = TestingMaintenance.of(services, lake)) {
      insert(client);
      Report report =
          new Maintenance(leading.engine(), leading.lake(), limits(WEEK))
              .run(
                  false,
                  step -> {
                    if (step.step() == Step.FLUSH) {
                      try (var second = TestingProcess.start(environment, "maintain")) {
                        assertThat(second.exitCode()).isZero();
                        assertThat(second.lines())
                            .last()
                            .asString()
                            .matches(
                                "  nothing done: another process maintains this lake,"
                                    + " 127\\.0\\.0\\.1 since \\d{4}-.* UTC");
                      }
                    }
                  });
      assertThat(report.isOk()).isTrue();
    }
  }

  @Test
  void whatIsNotThereOrNotSet() {
    String lake = services.newLake();
    Map<String, String> environment = services.environment(lake);
    try (var empty = TestingProcess.start(environment, "maintain")) {
      assertThat(empty.exitCode()).isEqualTo(69);
      assertThat(empty.errors()).anyMatch(line -> line.contains("creating a new DuckLake"));
    }
    assertThat(number(lake, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).isZero();
    var without = new LinkedHashMap<>(environment);
    without.remove("POSTGRES_DB");
    try (var unset = TestingProcess.start(without, "maintain")) {
      assertThat(unset.exitCode()).isEqualTo(78);
    }
    var elsewhere = new LinkedHashMap<>(environment);
    elsewhere.put("POSTGRES_PORT", "1");
    try (var unreachable = TestingProcess.start(elsewhere, "maintain")) {
      assertThat(unreachable.exitCode()).isEqualTo(69);
    }
  }

  @Test
  void serversDoItByThemselvesWhenAsked() throws Exception {
    String lake = services.newLake();
    var environment = new LinkedHashMap<>(services.environment(lake));
    environment.put("MAINTENANCE_INTERVAL", "2s");
    try (var one = serve(environment).listening();
        var two = serve(environment).listening();
        var client = new TestingClient(one.port())) {
      insert(client);
      client.update("INSERT INTO t VALUES (1)");
      await().atMost(Duration.ofSeconds(60)).until(() -> files(lake) <= 2);
      await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () ->
                  one.errors().stream().anyMatch(line -> line.contains("the lake was maintained"))
                      && two.errors().stream().anyMatch(line -> line.contains("maintain")));
      assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(20L * INSERTS + 1);
      assertThat(one.errors()).noneMatch(line -> line.contains("could not be maintained"));
      assertThat(one.terminate()).isZero();
    }
  }
}
