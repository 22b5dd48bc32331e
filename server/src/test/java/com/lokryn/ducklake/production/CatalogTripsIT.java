package com.lokryn.ducklake.production;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingRemoteServer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.sql.FlightSqlClient.PreparedStatement;
import org.apache.arrow.flight.sql.FlightSqlClient.Transaction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What small queries ask of the catalog's Postgres: each statement there is a round trip that their
 * client waits for.
 */
@Timeout(120)
class CatalogTripsIT {
  /** Results are not what is counted here. */
  private static final Map<String, String> SETTINGS = Map.of("result_cache_size", "0B");

  private static final int RUNS = 20;
  private static final int ROUNDS = 5;

  /**
   * What no read waits for: how transactions end that were kept open, whenever that is, and this
   * test's own.
   */
  private static final List<String> OTHERS =
      List.of("COMMIT", "SELECT 1", "DISCARD", "SELECT 'mark", "SET ");

  private static TestingProduction services;
  private static String lake;
  private static TestingRemoteServer server;
  private static TestingClient client;
  private static int marks;

  @BeforeAll
  static void start() throws Exception {
    services = new TestingProduction();
    lake = services.newLake();
    services.postgres().logStatements(lake);
    server = TestingRemoteServer.start(services, lake, services.aws().endpoint(), SETTINGS);
    client = server.connect();
    client.update("CREATE TABLE inlining AS SELECT i, 'row ' || i AS s FROM range(1000) r(i)");
    client.update("CALL lake.set_option('data_inlining_row_limit', 0)");
    client.update("CREATE TABLE points AS SELECT i, 'row ' || i AS s FROM range(1000) r(i)");
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
    server.close();
    services.close();
  }

  @Test
  void aReadAsksForTheNewestSnapshotAndForItsFiles() throws Exception {
    assertAsks(4, i -> point("points", i));
  }

  /** Every table may have them, unless the lake's option data_inlining_row_limit is 0. */
  @Test
  void aTableThatMayHaveInlinedRowsTakesTwoMore() throws Exception {
    assertAsks(6, i -> point("inlining", i));
  }

  /** As ADBC does with each query: planning asks no more than whether there is a commit. */
  @Test
  void aPreparedReadTakesOneMore() throws Exception {
    assertAsks(
        5,
        i -> {
          try (PreparedStatement prepared = client.sql().prepare(text("points", i));
              FlightStream rows = client.stream(prepared.execute())) {
            assertRow(i, TestingClient.rows(rows));
          }
        });
  }

  /** The snapshot is the transaction's: this is how a client pins one. */
  @Test
  void aReadInATransactionAsksForItsFilesOnly() throws Exception {
    Transaction transaction = client.sql().beginTransaction();
    assertAsks(
        3,
        i -> {
          try (FlightStream rows =
              client.stream(client.sql().execute(text("points", i), transaction))) {
            assertRow(i, TestingClient.rows(rows));
          }
        });
    client.sql().commit(transaction);
  }

  /** The time of a statement is that of its transaction. */
  @Test
  void whatVariesHasATransactionOfItsOwn() throws Exception {
    point("points", 0);
    Object first = client.value("SELECT max(now()) FROM points");
    point("points", 0);
    assertThat(client.value("SELECT max(now()) FROM points")).isNotEqualTo(first);
  }

  @Test
  void noTransactionIsKeptOpenForLong() throws Exception {
    point("points", 0);
    awaitNoTransaction();
    assertThat(server.server().openConnections()).isZero();
  }

  /** What was kept open is lost with them, and no statement is. */
  @Test
  void connectionsThatAreCutCostNoRead() throws Exception {
    for (int i = 0; i < RUNS; i++) {
      point("points", i);
      services.postgres().cutConnections(lake);
      point("points", i);
    }
  }

  /** What a view means is looked at as of the newest snapshot, too. */
  @Test
  void aViewIsTheNewestOne() throws Exception {
    point("points", 1);
    client.update("CREATE VIEW later AS SELECT * FROM points");
    assertThat(client.rows("SELECT s FROM later WHERE i = 5")).isEqualTo(List.of(List.of("row 5")));
    client.update("CREATE OR REPLACE VIEW later AS SELECT 5 AS i, 'other' AS s");
    assertThat(client.rows("SELECT s FROM later WHERE i = 5")).isEqualTo(List.of(List.of("other")));
    client.update("DROP VIEW later");
  }

  private static void awaitNoTransaction() {
    await()
        .atMost(Duration.ofSeconds(5))
        .until(
            () ->
                services
                    .postgres()
                    .value(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = '%s'".formatted(lake)
                            + " AND state LIKE 'idle in transaction%'")
                    .equals("0"));
  }

  private interface Run {
    void run(int i) throws Exception;
  }

  /**
   * Asserts what each of many runs asks of Postgres, in the long run: a client may be quicker than
   * the server puts a transaction back, and now and then one has been open for long enough.
   */
  private static void assertAsks(int each, Run run) throws Exception {
    int least = Integer.MAX_VALUE;
    for (int round = 0; round < ROUNDS && least > each * RUNS; round++) {
      point("points", 999);
      int before = awaitStatements();
      for (int i = 0; i < RUNS; i++) {
        run.run(i);
      }
      least = Math.min(least, awaitStatements() - before);
    }
    assertThat(least).isEqualTo(each * RUNS);
  }

  /** Postgres writes its log a little later: the statements up to a mark, which is none of them. */
  private static int awaitStatements() {
    String mark = "SELECT 'mark %d'".formatted(++marks);
    services.postgres().run(lake, mark);
    await().until(() -> services.postgres().statements(lake).contains(mark));
    List<String> all = services.postgres().statements(lake);
    return (int)
        all.subList(0, all.indexOf(mark)).stream().filter(CatalogTripsIT::isCounted).count();
  }

  private static boolean isCounted(String sql) {
    return OTHERS.stream().noneMatch(sql::startsWith);
  }

  private static String text(String table, int i) {
    return "SELECT s FROM %s WHERE i = %d".formatted(table, i);
  }

  private static void point(String table, int i) throws Exception {
    assertRow(i, client.rows(text(table, i)));
  }

  private static void assertRow(int i, List<List<Object>> rows) {
    assertThat(rows).isEqualTo(List.of(List.of("row " + i)));
  }
}
