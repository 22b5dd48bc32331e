package com.lokryn.ducklake.production;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.testing.FaultyS3;
import com.lokryn.ducklake.testing.Ledger;
import com.lokryn.ducklake.testing.PlainDuckDb;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingProcess;
import com.lokryn.ducklake.testing.TestingProduction;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.apache.arrow.flight.sql.FlightSqlClient.ExecuteIngestOptions;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableExistsOption;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableNotExistOption;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Several processes write to one lake: nothing that was acknowledged is lost, or there twice. */
class WritersIT {
  private static final String CREATE =
      "CREATE TABLE %s (request BIGINT, row_number INT)".formatted(Ledger.TABLE);

  /** Kept in the catalog by DuckLake, which has a limit of 10. */
  private static final int FEW = 3;

  private static TestingProduction services;

  @BeforeAll
  static void start() {
    services = new TestingProduction();
  }

  @AfterAll
  static void stop() {
    services.close();
  }

  @Test
  void theFirstStartOfSeveralAtOnceMakesOneLake() throws Exception {
    String lake = services.newLake();
    var servers = new ArrayList<TestingProcess>();
    try {
      for (int i = 0; i < 4; i++) {
        servers.add(serve(services.environment(lake)));
      }
      for (int i = 0; i < servers.size(); i++) {
        try (var client = new TestingClient(servers.get(i).listening().port())) {
          client.update("CREATE TABLE t%d AS SELECT i FROM range(100) r(i)".formatted(i));
        }
      }
      try (var client = new TestingClient(servers.getFirst().port())) {
        assertThat(
                client.value("SELECT count(*) FROM duckdb_tables() WHERE database_name = 'lake'"))
            .isEqualTo(4L);
      }
    } finally {
      servers.forEach(TestingProcess::close);
    }
  }

  @Test
  void serversAndDuckDbWriteAndFlushAtOnce() throws Exception {
    String lake = services.newLake();
    var ledger = new Ledger();
    try (var first = serve(services.environment(lake)).listening();
        var second = serve(services.environment(lake)).listening();
        var client = new TestingClient(second.port());
        var plain = new PlainDuckDb(services, lake)) {
      client.update(CREATE);
      var over = new AtomicBoolean();
      var writers = new ArrayList<Thread>();
      for (TestingProcess server : List.of(first, second)) {
        for (int i = 0; i < 8; i++) {
          writers.add(writer(server, i, ledger, over));
        }
      }
      writers.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!over.get()) {
                      ledger.write(FEW, (request, rows) -> insert(plain, request, rows));
                      ledger.write(50, (request, rows) -> insert(plain, request, rows));
                      flush(plain, ledger);
                    }
                  }));
      Thread.sleep(Duration.ofSeconds(7));
      over.set(true);
      for (Thread writer : writers) {
        writer.join();
      }
      ledger.assertKept(client);
      assertThat(ledger.acknowledged()).isGreaterThan(20);
      assertThat(ledger.failures().keySet()).allMatch(text -> text.contains("onflict"));
    }
  }

  /**
   * DuckLake drops the table of inlined rows of an earlier schema when they are flushed, and others
   * that have attached the lake look for it until the schema changes again.
   */
  @Test
  void aFlushByDuckDbDoesNotKeepServersFromReading() throws Exception {
    String lake = services.newLake();
    try (var server = serve(services.environment(lake)).listening();
        var client = new TestingClient(server.port());
        var plain = new PlainDuckDb(services, lake)) {
      client.update("CREATE TABLE t (i INT)");
      for (int round = 0; round < 3; round++) {
        client.update("INSERT INTO t (i) VALUES (1)");
        plain.run("ALTER TABLE t ADD COLUMN c%d INT".formatted(round));
        client.update("INSERT INTO t (i) VALUES (1)");
        plain.run("CALL ducklake_flush_inlined_data('lake')");
        assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(2L * round + 2);
      }
      assertThat(client.value("SELECT count(*) FROM duckdb_views() WHERE database_name = 'lake'"))
          .isEqualTo(0L);
    }
  }

  @Test
  void oneServerIsKilledAndS3FailsMeanwhile() throws Exception {
    String lake = services.newLake();
    var ledger = new Ledger();
    try (var s3 = new FaultyS3(services.aws().endpoint())) {
      Map<String, String> environment = services.environment(lake);
      environment.put("AWS_ENDPOINT_URL_S3", s3.endpoint().toString());
      try (var killed = serve(environment).listening();
          var survivor = serve(environment).listening();
          var client = new TestingClient(survivor.port())) {
        client.update(CREATE);
        var over = new AtomicBoolean();
        var writers =
            Stream.of(killed, survivor)
                .flatMap(server -> Stream.of(0, 1, 2, 3).map(i -> writer(server, i, ledger, over)))
                .toList();
        Thread.sleep(Duration.ofSeconds(3));
        s3.all(FaultyS3.SLOW_DOWN);
        Thread.sleep(Duration.ofSeconds(4));
        killed.kill();
        Thread.sleep(Duration.ofSeconds(3));
        s3.all(new FaultyS3.Fate.Silent());
        Thread.sleep(Duration.ofSeconds(3));
        s3.all(FaultyS3.PASSED);
        int before = ledger.acknowledged();
        Thread.sleep(Duration.ofSeconds(3));
        over.set(true);
        for (Thread writer : writers) {
          writer.join();
        }
        assertThat(ledger.acknowledged()).isGreaterThan(before);
        ledger.assertKept(client);
      }
    }
  }

  /** Inserts few rows, which go to the catalog, and more, which go to S3, and ingests. */
  private static Thread writer(
      TestingProcess server, int number, Ledger ledger, AtomicBoolean over) {
    int port = server.port();
    return Thread.ofPlatform()
        .start(
            () -> {
              try (var client = new TestingClient(port)) {
                for (int i = number; !over.get() && server.isAlive(); i++) {
                  switch (i % 4) {
                    case 0 -> ledger.write(FEW, (request, rows) -> insert(client, request, rows));
                    case 1 -> ledger.write(50, (request, rows) -> insert(client, request, rows));
                    case 2 -> ledger.write(FEW, (request, rows) -> ingest(client, request, rows));
                    default -> ledger.write(500, (request, rows) -> ingest(client, request, rows));
                  }
                }
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            });
  }

  private static void flush(PlainDuckDb plain, Ledger ledger) {
    try {
      plain.run("CALL ducklake_flush_inlined_data('lake')");
    } catch (SQLException e) {
      ledger.failed(e);
    }
  }

  private static void insert(PlainDuckDb plain, long request, int rows) throws Exception {
    plain.run("INSERT INTO %s %s".formatted(Ledger.TABLE, Ledger.rows(request, rows)));
  }

  private static void insert(TestingClient client, long request, int rows) {
    String sql = "INSERT INTO %s %s".formatted(Ledger.TABLE, Ledger.rows(request, rows));
    assertThat(client.update(sql)).isEqualTo(rows);
  }

  private static void ingest(TestingClient client, long request, int rows) throws Exception {
    try (var root =
        VectorSchemaRoot.of(
            new BigIntVector("request", client.allocator()),
            new IntVector("row_number", client.allocator()))) {
      for (int row = 0; row < rows; row++) {
        ((BigIntVector) root.getVector(0)).setSafe(row, request);
        ((IntVector) root.getVector(1)).setSafe(row, row);
      }
      root.setRowCount(rows);
      var options =
          new ExecuteIngestOptions(
              Ledger.TABLE,
              TableDefinitionOptions.newBuilder()
                  .setIfNotExist(TableNotExistOption.TABLE_NOT_EXIST_OPTION_FAIL)
                  .setIfExists(TableExistsOption.TABLE_EXISTS_OPTION_APPEND)
                  .build(),
              null,
              null,
              Map.of());
      long written = client.sql().executeIngest(root, options);
      assertThat(written).isEqualTo(rows);
    }
  }

  private static TestingProcess serve(Map<String, String> environment) {
    return TestingProcess.start(environment, "serve", "--host", "127.0.0.1", "--port", "0");
  }
}
