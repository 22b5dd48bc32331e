package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.flight.AsyncPutListener;
import org.apache.arrow.flight.CallOptions;
import org.apache.arrow.flight.FlightClient.ClientStreamListener;
import org.apache.arrow.flight.FlightDescriptor;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.sql.FlightSqlClient.Transaction;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableExistsOption;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableNotExistOption;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What sessions hold, and how it ends when clients or statements misbehave. */
class SessionIT {
  private static final String BLOCKING =
      "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range % 7 = b.range % 5";

  private final Executor threads = Executors.newVirtualThreadPerTaskExecutor();
  private TestingLakeServer server;
  private TestingClient client;
  private TestingClient other;

  @BeforeEach
  void start() throws Exception {
    start(Map.of());
  }

  private void start(Map<String, String> settings) throws Exception {
    server = TestingLakeServer.start(settings);
    client = server.connect();
    other = server.connect();
  }

  @AfterEach
  void stop() throws Exception {
    client.close();
    other.close();
    await().until(() -> server.server().openConnections() == 0);
    await().until(() -> server.server().bufferBytes() == 0);
    server.close();
  }

  private void restart(Map<String, String> settings) throws Exception {
    stop();
    start(settings);
  }

  @Test
  void nobodyTakesTheLakeFromTheOthers() throws Exception {
    assertFails(Status.Code.PERMISSION_DENIED, () -> client.update("USE memory"));
    for (String statement : List.of("DETACH lake", "/* */ detach DATABASE IF EXISTS lake")) {
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.update(statement));
      assertFails(Status.Code.PERMISSION_DENIED, () -> client.info(statement));
    }
    assertFails(Status.Code.PERMISSION_DENIED, () -> client.update("ATTACH ':memory:' AS mine"));
    assertThat(other.value("SELECT count(*) FROM lake.snapshots()")).isNotNull();
  }

  @Test
  void aSchemaThatIsDroppedDoesNotHoldItsSessions() throws Exception {
    other.update("CREATE SCHEMA s");
    client.update("USE lake.s");
    other.update("DROP SCHEMA s");
    assertFails(Status.Code.NOT_FOUND, () -> client.info("SELECT 1")).contains("lake.s");
    assertThat(client.value("SELECT current_schema()")).isEqualTo("main");
  }

  @Test
  void aCommitThatFailsEndsItsTransaction() throws Exception {
    client.update("CREATE TABLE t AS SELECT 1 AS i");
    for (TestingClient one : List.of(client, other)) {
      one.update("BEGIN");
      one.update("UPDATE t SET i = i + 1");
    }
    client.update("COMMIT");
    assertThatThrownBy(() -> other.update("COMMIT")).hasMessageContaining("conflict");
    assertThat(other.value("SELECT i FROM t")).isEqualTo(2);
    await().until(() -> server.server().openConnections() == 0);
    other.update("UPDATE t SET i = 10");
    assertThat(client.value("SELECT i FROM t")).isEqualTo(10);
  }

  @Test
  void aTypingErrorInACommitDoesNot() throws Exception {
    client.update("CREATE TABLE t (i INT)");
    client.update("BEGIN");
    client.update("INSERT INTO t VALUES (1)");
    assertThatThrownBy(() -> client.update("COMMIT NOW PLEASE")).isNotNull();
    assertThat(other.value("SELECT count(*) FROM t")).isEqualTo(0L);
    client.update("COMMIT");
    assertThat(other.value("SELECT count(*) FROM t")).isEqualTo(1L);
  }

  @Test
  void aTransactionAtWorkIsNotIdle() throws Exception {
    restart(Map.of("idle_session_timeout", "300ms"));
    client.update("CREATE TABLE t (i BIGINT)");
    Transaction transaction = client.sql().beginTransaction();
    long started = System.nanoTime();
    // Some seconds of work in one statement.
    client
        .sql()
        .executeUpdate(
            "INSERT INTO t SELECT count(*) FROM range(50000) a, range(50000) b"
                + " WHERE a.range % 7 = b.range % 5",
            transaction);
    assertThat(Duration.ofNanos(System.nanoTime() - started)).isGreaterThan(Duration.ofMillis(600));
    client.sql().executeUpdate("INSERT INTO t VALUES (1)", transaction);
    client.sql().commit(transaction);
    assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(2L);
  }

  @Test
  void anIngestThatWaitsForItsClientHoldsUpNobodysTimeLimits() throws Exception {
    restart(Map.of("idle_session_timeout", "1s", "query_timeout", "3s"));
    client.update("CREATE TABLE t (i INT)");
    Transaction transaction = client.sql().beginTransaction();
    try (VectorSchemaRoot root = VectorSchemaRoot.of(new IntVector("i", client.allocator()))) {
      var answers = new AsyncPutListener();
      ClientStreamListener upload =
          client.flight().startPut(ingest("t", transaction), root, answers);
      root.setRowCount(1);
      upload.putNext();
      assertThatThrownBy(answers::getResult).hasMessageContaining("nothing for");
    }
    assertFails(Status.Code.DEADLINE_EXCEEDED, () -> other.info(BLOCKING));
    await().atMost(Duration.ofSeconds(5)).until(() -> server.server().openConnections() == 0);
    assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(0L);
  }

  @Test
  void aFailedIngestInATransactionSaysWhy() throws Exception {
    client.update("CREATE TABLE t (i INT)");
    Transaction transaction = client.sql().beginTransaction();
    client.sql().executeUpdate("INSERT INTO t VALUES (1)", transaction);
    try (VectorSchemaRoot root =
        VectorSchemaRoot.of(new IntVector("no_such_column", client.allocator()))) {
      var answers = new AsyncPutListener();
      ClientStreamListener upload =
          client.flight().startPut(ingest("t", transaction), root, answers);
      root.setRowCount(1);
      upload.putNext();
      upload.completed();
      assertThatThrownBy(answers::getResult).hasMessageContaining("no_such_column");
    }
    client.sql().rollback(transaction);
  }

  @Test
  void statementsThatWaitForASessionHoldUpNobodyElse() throws Exception {
    client.update("CREATE TEMP TABLE mine AS SELECT 1 AS i");
    var calls = new ArrayList<CompletableFuture<?>>();
    for (int i = 0; i < 40; i++) {
      calls.add(CompletableFuture.runAsync(() -> client.info(BLOCKING), threads));
    }
    await()
        .atMost(Duration.ofSeconds(10))
        .until(
            () -> calls.stream().filter(CompletableFuture::isCompletedExceptionally).count() >= 35);
    assertThat(other.value("SELECT 42")).isEqualTo(42);
    assertThatThrownBy(() -> client.info("SELECT 1")).hasMessageContaining("wait for this session");
    client.die();
    assertThat(CompletableFuture.allOf(calls.toArray(CompletableFuture[]::new)))
        .failsWithin(Duration.ofSeconds(5));
  }

  @Test
  void aStatementThatWaitsCanBeCancelled() throws Exception {
    client.update("CREATE TEMP TABLE mine AS SELECT 1 AS i");
    var blocking = CompletableFuture.runAsync(() -> client.info(BLOCKING), threads);
    await().until(() -> server.server().openConnections() == 1);
    long started = System.nanoTime();
    assertThatThrownBy(
            () -> client.info("SELECT 1", CallOptions.timeout(500, TimeUnit.MILLISECONDS)))
        .hasMessageContaining("deadline");
    assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(3));
    assertThat(blocking).isNotDone();
    client.die();
    assertThat(blocking).failsWithin(Duration.ofSeconds(5));
  }

  @Test
  void aStatementThatSpoolsAnEarlierResultCanBeCancelled() throws Exception {
    client.update("CREATE TEMP TABLE mine AS SELECT 1 AS i");
    try (FlightStream stream =
        client.open("SELECT i FROM range(1000000000000) t(i) WHERE i % 100 = 0")) {
      assertThat(stream.next()).isTrue();
      assertThatThrownBy(
              () -> client.info("SELECT 1", CallOptions.timeout(500, TimeUnit.MILLISECONDS)))
          .hasMessageContaining("deadline");
      // What was spooled for it is still there, and the rest still comes.
      long before = 0;
      for (int batch = 0; batch < 20; batch++) {
        assertThat(stream.next()).isTrue();
        for (int row = 0; row < stream.getRoot().getRowCount(); row++) {
          long value = (Long) stream.getRoot().getVector(0).getObject(row);
          assertThat(value).isGreaterThan(before);
          before = value;
        }
      }
      stream.cancel("enough", null);
    }
    assertThat(client.value("SELECT i FROM mine")).isEqualTo(1);
  }

  private static FlightDescriptor ingest(String table, Transaction transaction) {
    var command =
        CommandStatementIngest.newBuilder()
            .setTable(table)
            .setTransactionId(
                com.google.protobuf.ByteString.copyFrom(transaction.getTransactionId()))
            .setTableDefinitionOptions(
                TableDefinitionOptions.newBuilder()
                    .setIfNotExist(TableNotExistOption.TABLE_NOT_EXIST_OPTION_FAIL)
                    .setIfExists(TableExistsOption.TABLE_EXISTS_OPTION_APPEND))
            .build();
    return FlightDescriptor.command(com.google.protobuf.Any.pack(command).toByteArray());
  }
}
