package com.lokryn.ducklake.production;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingProcess;
import com.lokryn.ducklake.testing.TestingProduction;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.arrow.flight.CallHeaders;
import org.apache.arrow.flight.FlightCallHeaders;
import org.apache.arrow.flight.FlightDescriptor;
import org.apache.arrow.flight.HeaderCallOption;
import org.apache.arrow.flight.PutResult;
import org.apache.arrow.flight.SyncPutListener;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableExistsOption;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableNotExistOption;
import org.apache.arrow.flight.sql.impl.FlightSql.DoPutUpdateResult;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Ingests with an idempotency key, on two servers of one lake. */
class IngestOnceIT {
  private static final int ROWS = 500;

  private static TestingProduction production;

  @BeforeAll
  static void start() {
    production = new TestingProduction();
  }

  @AfterAll
  static void stop() {
    production.close();
  }

  @Test
  void aKeyIsUsedOnceByAllServersTogether() throws Exception {
    Map<String, String> environment = production.environment(production.newLake());
    try (var one = serve(environment).listening();
        var two = serve(environment).listening();
        var client = new TestingClient(two.port())) {
      client.update("CREATE TABLE t (i INT)");

      assertThat(
              together(6, number -> () -> ingest(number % 2 == 0 ? one : two, "first", number < 3)))
          .containsOnly((long) ROWS);
      assertThat(client.value("SELECT count(*) FROM t")).isEqualTo((long) ROWS);

      assertThat(ingest(one, "second", true)).isEqualTo(ROWS);
      one.kill();
      assertThat(ingest(two, "second", false)).isEqualTo(ROWS);
      assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(2L * ROWS);
      assertThat(
              client.value("SELECT count(*) FROM lake.snapshots() WHERE commit_message = 'ingest'"))
          .isEqualTo(2L);
    }
  }

  @Test
  void statementsThatMeetAreBegunAnew() throws Exception {
    Map<String, String> environment = production.environment(production.newLake());
    try (var one = serve(environment).listening();
        var two = serve(environment).listening();
        var client = new TestingClient(two.port())) {
      client.update("CREATE TABLE counter AS SELECT 0 AS n");
      together(
          4,
          number ->
              () -> {
                try (var own = new TestingClient((number % 2 == 0 ? one : two).port())) {
                  for (int i = 0; i < 5; i++) {
                    own.update("UPDATE counter SET n = n + 1");
                  }
                }
                return 0L;
              });
      assertThat(client.value("SELECT n FROM counter")).isEqualTo(20);
    }
  }

  private interface Task {
    Callable<Long> number(int number);
  }

  private static List<Long> together(int count, Task task) throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Long>> futures =
          threads.invokeAll(IntStream.range(0, count).mapToObj(task::number).toList());
      var results = new java.util.ArrayList<Long>();
      for (Future<Long> future : futures) {
        results.add(future.get());
      }
      return results;
    }
  }

  /**
   * @param inHeader as drivers send the key that cannot set options of the command
   */
  private static long ingest(TestingProcess server, String key, boolean inHeader) throws Exception {
    var command =
        CommandStatementIngest.newBuilder()
            .setTable("t")
            .setTableDefinitionOptions(
                TableDefinitionOptions.newBuilder()
                    .setIfNotExist(TableNotExistOption.TABLE_NOT_EXIST_OPTION_FAIL)
                    .setIfExists(TableExistsOption.TABLE_EXISTS_OPTION_APPEND));
    CallHeaders headers = new FlightCallHeaders();
    if (inHeader) {
      headers.insert("idempotency-key", key);
    } else {
      command.putOptions("idempotency_key", key);
    }
    try (var client = new TestingClient(server.port());
        var numbers = new IntVector("i", client.allocator());
        var root = VectorSchemaRoot.of(numbers);
        var answers = new SyncPutListener()) {
      var upload =
          client
              .flight()
              .startPut(
                  FlightDescriptor.command(Any.pack(command.build()).toByteArray()),
                  root,
                  answers,
                  new HeaderCallOption(headers));
      for (int i = 0; i < ROWS; i++) {
        numbers.setSafe(i, i);
      }
      root.setRowCount(ROWS);
      upload.putNext();
      upload.completed();
      try (PutResult answer = answers.read()) {
        upload.getResult();
        return DoPutUpdateResult.parseFrom(answer.getApplicationMetadata().nioBuffer())
            .getRecordCount();
      }
    }
  }

  private static TestingProcess serve(Map<String, String> environment) {
    return TestingProcess.start(environment, "serve", "--host", "127.0.0.1", "--port", "0");
  }
}
