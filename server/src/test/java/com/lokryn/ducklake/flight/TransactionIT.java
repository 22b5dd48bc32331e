package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.lokryn.ducklake.testing.LocalServer;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.sql.FlightSqlClient.PreparedStatement;
import org.apache.arrow.flight.sql.FlightSqlClient.Transaction;
import org.apache.arrow.flight.sql.impl.FlightSql.ActionEndTransactionRequest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TransactionIT {
  @RegisterExtension static final LocalServer server = new LocalServer();

  private TestingClient client;
  private TestingClient other;

  @BeforeEach
  void connect() {
    client = server.connect();
    other = server.connect();
    client.update("CREATE OR REPLACE TABLE t (i INT)");
  }

  @Test
  void whatIsNotCommittedIsSeenInsideOnly() throws Exception {
    Transaction transaction = client.sql().beginTransaction();
    client.sql().executeUpdate("INSERT INTO t VALUES (1)", transaction);
    assertThat(inside(transaction, "SELECT count(*) FROM t")).isEqualTo(1L);
    assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(0L);
    assertThat(other.value("SELECT count(*) FROM t")).isEqualTo(0L);
    client.sql().commit(transaction);
    assertThat(other.value("SELECT count(*) FROM t")).isEqualTo(1L);
    await().until(() -> server.server().openConnections() == 0);
  }

  @Test
  void rollbackLeavesNothing() throws Exception {
    Transaction transaction = client.sql().beginTransaction();
    client.sql().executeUpdate("INSERT INTO t VALUES (1)", transaction);
    client.sql().executeUpdate("CREATE TABLE dropped (i INT)", transaction);
    client.sql().rollback(transaction);
    assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(0L);
    assertFails(Status.Code.NOT_FOUND, () -> client.info("SELECT * FROM dropped"));
    assertFails(
            Status.Code.NOT_FOUND,
            () -> client.sql().executeUpdate("INSERT INTO t VALUES (1)", transaction))
        .contains("no such transaction");
  }

  @Test
  void preparedStatementsTakePart() throws Exception {
    Transaction transaction = client.sql().beginTransaction();
    try (PreparedStatement insert = client.sql().prepare("INSERT INTO t VALUES (5)", transaction);
        PreparedStatement select = client.sql().prepare("SELECT sum(i) FROM t", transaction)) {
      assertThat(insert.executeUpdate()).isEqualTo(1);
      try (FlightStream stream = client.stream(select.execute())) {
        assertThat(TestingClient.rows(stream).getFirst().getFirst()).hasToString("5");
      }
    }
    client.sql().rollback(transaction);
    assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(0L);
  }

  @Test
  void aResultStaysWholeWhileItsTransactionGoesOn() throws Exception {
    client.update("INSERT INTO t SELECT i FROM range(1000000) r(i)");
    Transaction transaction = client.sql().beginTransaction();
    try (FlightStream stream =
        client.stream(client.sql().execute("SELECT i FROM t", transaction))) {
      assertThat(stream.next()).isTrue();
      long rows = stream.getRoot().getRowCount();
      client.sql().executeUpdate("DELETE FROM t", transaction);
      client.sql().commit(transaction);
      while (stream.next()) {
        rows += stream.getRoot().getRowCount();
      }
      assertThat(rows).isEqualTo(1_000_000);
    }
    assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(0L);
  }

  /** A transaction reads one snapshot of the lake, and what it has written itself. */
  @Test
  void readsOneSnapshot() throws Exception {
    client.update("CREATE OR REPLACE TABLE u (i INT)");
    Transaction transaction = client.sql().beginTransaction();
    assertThat(inside(transaction, "SELECT count(*) FROM t")).isEqualTo(0L);
    other.update("INSERT INTO t VALUES (1)");
    other.update("INSERT INTO u VALUES (1)");
    other.update("ALTER TABLE u ADD COLUMN j INT");
    assertThat(inside(transaction, "SELECT count(*) FROM t")).isEqualTo(0L);
    assertThat(inside(transaction, "SELECT count(*) FROM u")).isEqualTo(0L);
    client.sql().executeUpdate("INSERT INTO t VALUES (2), (3)", transaction);
    assertThat(inside(transaction, "SELECT count(*) FROM t")).isEqualTo(2L);
    assertThat(other.value("SELECT count(*) FROM t")).isEqualTo(1L);
    client.sql().commit(transaction);
    // Rows that are added meet no others: both are there.
    assertThat(other.value("SELECT sum(i)::INT FROM t")).isEqualTo(6);
  }

  @Test
  void aConflictIsAborted() throws Exception {
    client.update("INSERT INTO t VALUES (1)");
    Transaction first = client.sql().beginTransaction();
    Transaction second = other.sql().beginTransaction();
    client.sql().executeUpdate("UPDATE t SET i = 2", first);
    other.sql().executeUpdate("UPDATE t SET i = 3", second);
    client.sql().commit(first);
    var commit =
        ActionEndTransactionRequest.newBuilder()
            .setTransactionId(ByteString.copyFrom(second.getTransactionId()))
            .setAction(ActionEndTransactionRequest.EndTransaction.END_TRANSACTION_COMMIT)
            .build();
    var action =
        Flight.Action.newBuilder()
            .setType("EndTransaction")
            .setBody(Any.pack(commit).toByteString())
            .build();
    assertFails(Status.Code.ABORTED, () -> other.raw().doAction(action).hasNext());
    assertThat(client.value("SELECT i FROM t")).isEqualTo(2);
    await().until(() -> server.server().openConnections() == 0);
  }

  @Test
  void byStatement() throws Exception {
    client.update("BEGIN");
    client.update("INSERT INTO t VALUES (1)");
    assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(1L);
    assertThat(other.value("SELECT count(*) FROM t")).isEqualTo(0L);
    client.update("COMMIT");
    assertThat(other.value("SELECT count(*) FROM t")).isEqualTo(1L);
    await().until(() -> server.server().openConnections() == 0);
  }

  @Test
  void oneThatIsForgottenIsRolledBack() throws Exception {
    try (var impatient = TestingLakeServer.start(Map.of("idle_session_timeout", "1s"));
        TestingClient forgetful = impatient.connect()) {
      forgetful.update("CREATE TABLE t (i INT)");
      Transaction transaction = forgetful.sql().beginTransaction();
      forgetful.sql().executeUpdate("INSERT INTO t VALUES (1)", transaction);
      await().atMost(Duration.ofSeconds(4)).until(() -> impatient.server().openConnections() == 0);
      assertThat(forgetful.value("SELECT count(*) FROM t")).isEqualTo(0L);
    }
  }

  @Test
  void oneWhoseClientDiesIsRolledBack() throws Exception {
    try (TestingClient dying = server.connect()) {
      Transaction transaction = dying.sql().beginTransaction();
      dying.sql().executeUpdate("INSERT INTO t VALUES (1)", transaction);
      assertThat(server.server().openConnections()).isEqualTo(1);
      dying.die();
      await().atMost(Duration.ofSeconds(2)).until(() -> server.server().openConnections() == 0);
    }
    assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(0L);
  }

  private Object inside(Transaction transaction, String query) throws Exception {
    try (FlightStream stream = client.stream(client.sql().execute(query, transaction))) {
      return TestingClient.rows(stream).getFirst().getFirst();
    }
  }
}
