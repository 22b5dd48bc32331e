package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.LocalServer;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.sql.FlightSqlClient.PreparedStatement;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class PreparedIT {
  @RegisterExtension static final LocalServer server = new LocalServer();

  private TestingClient client;

  @BeforeEach
  void connect() {
    client = server.connect();
  }

  @Test
  void queryWithOneRowOfParametersAgainAndAgain() throws Exception {
    try (PreparedStatement statement =
        client.sql().prepare("SELECT i * 2 AS d FROM range(100) t(i) WHERE i = ?")) {
      assertThat(statement.getParameterSchema().getFields().getFirst().getType())
          .isEqualTo(new ArrowType.Int(64, true));
      for (long i : List.of(3L, 7L)) {
        bind(statement, i);
        assertThat(rows(statement)).isEqualTo(List.of(List.of(i * 2)));
      }
      // The values stay bound.
      assertThat(rows(statement)).isEqualTo(List.of(List.of(14L)));
    }
  }

  @Test
  void queryWithManyRowsOfParameters() throws Exception {
    try (PreparedStatement statement =
        client.sql().prepare("SELECT i FROM range(10) t(i) WHERE i < ? ORDER BY i")) {
      bind(statement, 2L, 1L, 0L);
      assertThat(rows(statement)).isEqualTo(List.of(List.of(0L), List.of(1L), List.of(0L)));
    }
  }

  @Test
  void updateWithManyRowsIsAllOrNothing() throws Exception {
    client.update("CREATE OR REPLACE TABLE several (i INT)");
    try (PreparedStatement statement =
        client.sql().prepare("INSERT INTO several SELECT 10 // ?::INT")) {
      assertThat(statement.getResultSetSchema().getFields()).isEmpty();
      bind(statement, 1L, 2L, 5L);
      assertThat(statement.executeUpdate()).isEqualTo(3);
      try (var values = root(1L, 99_999_999_999L)) {
        statement.setParameters(values);
        assertFails(Status.Code.INVALID_ARGUMENT, statement::executeUpdate);
      }
    }
    assertThat(client.value("SELECT count(*) FROM several")).isEqualTo(3L);
  }

  @Test
  void updateByExecutingAndFetchingRunsOnce() throws Exception {
    client.update("CREATE OR REPLACE TABLE single (i INT)");
    try (PreparedStatement statement = client.sql().prepare("INSERT INTO single VALUES (1)")) {
      assertThat(rows(statement)).isEqualTo(List.of(List.of(1L)));
      assertThat(client.value("SELECT count(*) FROM single")).isEqualTo(1L);
      assertThat(rows(statement)).isEqualTo(List.of(List.of(1L)));
      assertThat(client.value("SELECT count(*) FROM single")).isEqualTo(2L);
    }
  }

  @Test
  void preparingRunsNothing() throws Exception {
    try (PreparedStatement statement = client.sql().prepare("CREATE TABLE unmade (i INT)")) {
      assertThat(statement.getResultSetSchema().getFields()).isEmpty();
    }
    assertFails(Status.Code.NOT_FOUND, () -> client.info("SELECT * FROM unmade"));
  }

  @Test
  void aRunSeesWhatWasChangedSinceItWasPrepared() throws Exception {
    client.update("CREATE OR REPLACE TABLE growing (i INT)");
    try (PreparedStatement statement = client.sql().prepare("SELECT count(*) FROM growing")) {
      client.update("INSERT INTO growing VALUES (1)");
      assertThat(rows(statement)).isEqualTo(List.of(List.of(1L)));
      client.update("INSERT INTO growing VALUES (2)");
      assertThat(rows(statement)).isEqualTo(List.of(List.of(2L)));
    }
  }

  @Test
  void aTableMayChangeBetweenPrepareAndRun() throws Exception {
    client.update("CREATE OR REPLACE TABLE shape (i INT)");
    try (PreparedStatement statement = client.sql().prepare("SELECT * FROM shape")) {
      client.update("DROP TABLE shape");
      client.update("CREATE TABLE shape (s VARCHAR, j BIGINT)");
      client.update("INSERT INTO shape VALUES ('x', 1)");
      assertThat(rows(statement)).isEqualTo(List.of(List.of("x", 1L)));
      client.update("DROP TABLE shape");
      assertFails(Status.Code.NOT_FOUND, () -> statement.execute());
    }
  }

  @Test
  void twoOpenResultsOfOneStatement() throws Exception {
    try (PreparedStatement statement = client.sql().prepare("SELECT i FROM range(1000000) t(i)")) {
      try (FlightStream first = client.stream(statement.execute());
          FlightStream second = client.stream(statement.execute())) {
        assertThat(count(second)).isEqualTo(1_000_000);
        assertThat(count(first)).isEqualTo(1_000_000);
      }
    }
  }

  @Test
  void untypedParametersTakeTheTypeOfTheirValue() throws Exception {
    try (PreparedStatement statement = client.sql().prepare("SELECT ? AS v")) {
      assertThat(statement.getParameterSchema().getFields())
          .extracting(field -> field.getType())
          .containsExactly(new ArrowType.Utf8());
      try (var s = new VarCharVector("1", client.allocator());
          var i = new IntVector("1", client.allocator())) {
        s.setSafe(0, "text".getBytes(StandardCharsets.UTF_8));
        s.setValueCount(1);
        statement.setParameters(VectorSchemaRoot.of(s));
        assertThat(rows(statement)).isEqualTo(List.of(List.of("text")));
        i.setSafe(0, 4);
        i.setValueCount(1);
        statement.setParameters(VectorSchemaRoot.of(i));
        assertThat(rows(statement)).isEqualTo(List.of(List.of(4)));
      }
    }
  }

  @Test
  void theWrongNumberOfValuesIsRefused() throws Exception {
    try (PreparedStatement statement = client.sql().prepare("SELECT ?::INT, ?::INT")) {
      bind(statement, 1L);
      assertFails(Status.Code.INVALID_ARGUMENT, () -> statement.execute())
          .contains("2 parameters")
          .contains("1 values");
    }
  }

  @Test
  void aClosedStatementIsGone() throws Exception {
    PreparedStatement statement = client.sql().prepare("SELECT 1");
    statement.close();
    await().until(() -> server.server().openConnections() == 0);
  }

  @Test
  void aForgottenStatementIsGone() throws Exception {
    try (var impatient = TestingLakeServer.start(Map.of("idle_session_timeout", "500ms"));
        TestingClient forgetful = impatient.connect();
        PreparedStatement used = forgetful.sql().prepare("SELECT 1");
        PreparedStatement forgotten = forgetful.sql().prepare("SELECT 2")) {
      long end = System.nanoTime() + Duration.ofMillis(1_500).toNanos();
      while (System.nanoTime() < end) {
        try (FlightStream stream = forgetful.stream(used.execute())) {
          assertThat(TestingClient.rows(stream)).isEqualTo(List.of(List.of(1)));
        }
        Thread.sleep(50);
      }
      assertFails(Status.Code.NOT_FOUND, () -> forgotten.execute())
          .contains("not used for too long");
      assertThat(impatient.server().openConnections()).isEqualTo(1);
    }
  }

  /** The oldest are forgotten for a client that closes none; those that it uses are not. */
  @Test
  void nobodyHasToCloseStatements() throws Exception {
    // Of this length some hundred fill the memory that there is for them.
    String filler = "/* %s */ ".formatted("x".repeat(200_000));
    PreparedStatement used = client.sql().prepare("SELECT 42");
    PreparedStatement oldest = client.sql().prepare(filler + "SELECT -1");
    PreparedStatement newest = oldest;
    for (int i = 0; i < 600; i++) {
      newest = client.sql().prepare(filler + "SELECT " + i);
      assertThat(rows(used)).isEqualTo(List.of(List.of(42)));
    }
    assertThat(rows(newest)).isEqualTo(List.of(List.of(599)));
    assertFails(Status.Code.NOT_FOUND, () -> oldest.execute());
    assertThat(server.server().openConnections()).isLessThan(300);
  }

  /**
   * DuckDB's planner needs more of a stack than most threads have, and ends the process without.
   */
  @Test
  void deepStatementsFitTheirThreadsOnEveryWay() throws Exception {
    var deep = new StringBuilder("WITH c0 AS (SELECT 1 AS i)");
    for (int i = 1; i < 200; i++) {
      deep.append(", c%d AS (SELECT * FROM c%d)".formatted(i, i - 1));
    }
    deep.append(" SELECT * FROM c199");
    assertThat(client.value(deep.toString())).isEqualTo(1);
    client.update(deep.toString());
    try (PreparedStatement statement = client.sql().prepare(deep.toString())) {
      assertThat(statement.executeUpdate()).isZero();
      assertThat(rows(statement)).isEqualTo(List.of(List.of(1)));
    }
  }

  private void bind(PreparedStatement statement, long... values) {
    statement.setParameters(root(values));
  }

  private VectorSchemaRoot root(long... values) {
    var vector = new BigIntVector("1", client.allocator());
    for (int i = 0; i < values.length; i++) {
      vector.setSafe(i, values[i]);
    }
    vector.setValueCount(values.length);
    return VectorSchemaRoot.of(vector);
  }

  private List<List<Object>> rows(PreparedStatement statement) throws Exception {
    try (FlightStream stream = client.stream(statement.execute())) {
      return TestingClient.rows(stream);
    }
  }

  private static long count(FlightStream stream) {
    long rows = 0;
    while (stream.next()) {
      rows += stream.getRoot().getRowCount();
    }
    return rows;
  }
}
