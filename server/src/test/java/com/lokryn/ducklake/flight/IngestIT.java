package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flight.AsyncPutListener;
import org.apache.arrow.flight.FlightClient.ClientStreamListener;
import org.apache.arrow.flight.FlightDescriptor;
import org.apache.arrow.flight.PutResult;
import org.apache.arrow.flight.SyncPutListener;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableExistsOption;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableNotExistOption;
import org.apache.arrow.flight.sql.impl.FlightSql.DoPutUpdateResult;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class IngestIT {
  private static final TableNotExistOption CREATE =
      TableNotExistOption.TABLE_NOT_EXIST_OPTION_CREATE;
  private static final TableNotExistOption MUST_EXIST =
      TableNotExistOption.TABLE_NOT_EXIST_OPTION_FAIL;

  private static TestingLakeServer server;
  private TestingClient client;

  @BeforeAll
  static void start() throws Exception {
    server = TestingLakeServer.start();
  }

  @AfterAll
  static void stop() throws Exception {
    await().until(() -> server.server().bufferBytes() == 0);
    server.close();
  }

  @BeforeEach
  void connect() {
    client = server.connect();
  }

  @AfterEach
  void disconnect() throws Exception {
    client.close();
  }

  @Test
  void createAppendReplaceCreateAppend() throws Exception {
    assertThat(ingest("modes", CREATE, TableExistsOption.TABLE_EXISTS_OPTION_FAIL, 3)).isEqualTo(6);
    assertFails(
            Status.Code.ALREADY_EXISTS,
            () -> ingest("modes", CREATE, TableExistsOption.TABLE_EXISTS_OPTION_FAIL, 1))
        .contains("modes");
    assertThat(ingest("modes", MUST_EXIST, TableExistsOption.TABLE_EXISTS_OPTION_APPEND, 1))
        .isEqualTo(2);
    assertThat(client.value("SELECT count(*) FROM modes")).isEqualTo(8L);
    assertThat(ingest("modes", CREATE, TableExistsOption.TABLE_EXISTS_OPTION_REPLACE, 1))
        .isEqualTo(2);
    assertThat(client.value("SELECT count(*) FROM modes")).isEqualTo(2L);
    assertThat(ingest("modes", CREATE, TableExistsOption.TABLE_EXISTS_OPTION_APPEND, 1))
        .isEqualTo(2);
    assertThat(ingest("new_one", CREATE, TableExistsOption.TABLE_EXISTS_OPTION_APPEND, 1))
        .isEqualTo(2);
    assertThat(client.rows("SELECT count(*), min(s), max(i) FROM modes"))
        .isEqualTo(List.of(List.of(4L, "row 0", 1)));
    assertFails(
        Status.Code.NOT_FOUND,
        () -> ingest("nowhere", MUST_EXIST, TableExistsOption.TABLE_EXISTS_OPTION_APPEND, 1));
  }

  @Test
  void anEmptyUploadMakesAnEmptyTable() throws Exception {
    assertThat(ingest("empty", CREATE, TableExistsOption.TABLE_EXISTS_OPTION_FAIL, 0)).isZero();
    assertThat(client.rows("SELECT i, s FROM empty")).isEmpty();
  }

  @Test
  void namesThatNeedQuotesAndOtherSchemas() throws Exception {
    client.update("CREATE SCHEMA \"a \"\"b\"");
    var command =
        command("t; DROP TABLE x", CREATE, TableExistsOption.TABLE_EXISTS_OPTION_FAIL)
            .setSchema("a \"b")
            .setCatalog("lake");
    assertThat(ingest(command.build(), 1)).isEqualTo(2);
    assertThat(client.value("SELECT count(*) FROM \"a \"\"b\".\"t; DROP TABLE x\"")).isEqualTo(2L);
  }

  @Test
  void temporaryTablesAreTheClientsOwn() throws Exception {
    var command =
        command("own", CREATE, TableExistsOption.TABLE_EXISTS_OPTION_FAIL).setTemporary(true);
    assertThat(ingest(command.build(), 1)).isEqualTo(2);
    assertThat(client.value("SELECT count(*) FROM own")).isEqualTo(2L);
    try (TestingClient other = server.connect()) {
      assertFails(Status.Code.NOT_FOUND, () -> other.info("SELECT * FROM own"));
    }
  }

  @Test
  void aTemporaryTableAndOneOfTheLakeMayHaveTheSameName() throws Exception {
    var append = TableExistsOption.TABLE_EXISTS_OPTION_APPEND;
    var temporary = command("twice", MUST_EXIST, append).setTemporary(true);
    assertThat(ingest("twice", CREATE, append, 1)).isEqualTo(2);
    assertFails(Status.Code.NOT_FOUND, () -> ingest(temporary.build(), 1));
    client.update("CREATE TEMP TABLE twice AS FROM lake.main.twice");
    assertThat(ingest("twice", MUST_EXIST, append, 2)).isEqualTo(4);
    assertThat(client.value("SELECT count(*) FROM lake.main.twice")).isEqualTo(6L);
    assertThat(ingest(temporary.build(), 1)).isEqualTo(2);
    assertThat(client.value("SELECT count(*) FROM temp.twice")).isEqualTo(4L);
  }

  @Test
  void aColumnThatTheTableLacksIsNamed() throws Exception {
    client.update("CREATE TABLE lacking (i INT)");
    assertFails(
            Status.Code.INVALID_ARGUMENT,
            () -> ingest("lacking", MUST_EXIST, TableExistsOption.TABLE_EXISTS_OPTION_APPEND, 1))
        .contains("\"s\"");
    assertThat(client.value("SELECT count(*) FROM lacking")).isEqualTo(0L);
  }

  @Test
  void aValueThatDoesNotFitNamesItsColumn() throws Exception {
    client.update("CREATE TABLE narrow (s INT, i INT)");
    assertFails(
            Status.Code.INVALID_ARGUMENT,
            () -> ingest("narrow", MUST_EXIST, TableExistsOption.TABLE_EXISTS_OPTION_APPEND, 1))
        .contains("row 0")
        .contains("column s");
    assertThat(client.value("SELECT count(*) FROM narrow")).isEqualTo(0L);
  }

  /** Ingest reader failure rolls back. */
  @Test
  void anUploadThatFailsLeavesNothing() throws Exception {
    client.update("CREATE TABLE untouched (i INT, s VARCHAR)");
    try (VectorSchemaRoot root = root()) {
      var answers = new AsyncPutListener();
      ClientStreamListener upload =
          start(
              command("untouched", MUST_EXIST, TableExistsOption.TABLE_EXISTS_OPTION_APPEND)
                  .build(),
              root,
              answers);
      fill(root);
      for (int i = 0; i < 50; i++) {
        upload.putNext();
      }
      upload.error(new IllegalStateException("the reader broke"));
      assertThatThrownBy(answers::getResult).isNotNull();
    }
    await().atMost(Duration.ofSeconds(3)).until(() -> server.server().openConnections() == 0);
    assertThat(client.value("SELECT count(*) FROM untouched")).isEqualTo(0L);
  }

  @Test
  void aClientThatDiesInMidUploadLeavesNothing() throws Exception {
    try (TestingClient dying = server.connect();
        VectorSchemaRoot root = root()) {
      var descriptor =
          descriptor(command("half", CREATE, TableExistsOption.TABLE_EXISTS_OPTION_FAIL).build());
      ClientStreamListener upload =
          dying.flight().startPut(descriptor, root, new AsyncPutListener());
      fill(root);
      upload.putNext();
      await().until(() -> server.server().openConnections() == 1);
      dying.die();
      await().atMost(Duration.ofSeconds(3)).until(() -> server.server().openConnections() == 0);
    }
    assertFails(Status.Code.NOT_FOUND, () -> client.info("SELECT * FROM half"));
  }

  @Test
  void aClientThatStallsInMidUploadIsEnded() throws Exception {
    try (var impatient = TestingLakeServer.start(Map.of("idle_session_timeout", "1s"));
        TestingClient stalled = impatient.connect()) {
      stalled.update("CREATE TABLE waiting (i INT, s VARCHAR)");
      var descriptor =
          descriptor(
              command("waiting", MUST_EXIST, TableExistsOption.TABLE_EXISTS_OPTION_APPEND).build());
      try (VectorSchemaRoot root =
          VectorSchemaRoot.of(
              new IntVector("i", stalled.allocator()),
              new VarCharVector("s", stalled.allocator()))) {
        var answers = new AsyncPutListener();
        ClientStreamListener upload = stalled.flight().startPut(descriptor, root, answers);
        fill(root);
        upload.putNext();
        await().until(() -> impatient.server().openConnections() == 1);
        await()
            .atMost(Duration.ofSeconds(5))
            .until(() -> impatient.server().openConnections() == 0);
        assertThatThrownBy(answers::getResult).isNotNull();
      }
      assertThat(stalled.value("SELECT count(*) FROM waiting")).isEqualTo(0L);
    }
  }

  private long ingest(
      String table, TableNotExistOption missing, TableExistsOption exists, int batches)
      throws Exception {
    return ingest(command(table, missing, exists).build(), batches);
  }

  private long ingest(CommandStatementIngest command, int batches) throws Exception {
    try (VectorSchemaRoot root = root();
        var answers = new SyncPutListener()) {
      ClientStreamListener upload = start(command, root, answers);
      for (int i = 0; i < batches; i++) {
        fill(root);
        upload.putNext();
      }
      upload.completed();
      try (PutResult answer = answers.read()) {
        upload.getResult();
        return DoPutUpdateResult.parseFrom(answer.getApplicationMetadata().nioBuffer())
            .getRecordCount();
      }
    }
  }

  private ClientStreamListener start(
      CommandStatementIngest command,
      VectorSchemaRoot root,
      org.apache.arrow.flight.FlightClient.PutListener answers) {
    return client.flight().startPut(descriptor(command), root, answers);
  }

  private static FlightDescriptor descriptor(CommandStatementIngest command) {
    return FlightDescriptor.command(Any.pack(command).toByteArray());
  }

  private static CommandStatementIngest.Builder command(
      String table, TableNotExistOption missing, TableExistsOption exists) {
    return CommandStatementIngest.newBuilder()
        .setTable(table)
        .setTableDefinitionOptions(
            TableDefinitionOptions.newBuilder().setIfNotExist(missing).setIfExists(exists));
  }

  private VectorSchemaRoot root() {
    return VectorSchemaRoot.of(
        new IntVector("i", client.allocator()), new VarCharVector("s", client.allocator()));
  }

  /** Two rows. */
  private static void fill(VectorSchemaRoot root) {
    var i = (IntVector) root.getVector("i");
    var s = (VarCharVector) root.getVector("s");
    for (int row = 0; row < 2; row++) {
      i.setSafe(row, row);
      s.setSafe(row, ("row " + row).getBytes(StandardCharsets.UTF_8));
    }
    root.setRowCount(2);
  }
}
