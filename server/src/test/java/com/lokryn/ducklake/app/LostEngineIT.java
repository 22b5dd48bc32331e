package com.lokryn.ducklake.app;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.arrow.flight.FlightStream;
import org.junit.jupiter.api.Test;

/** An instance that DuckDB declares invalid is opened anew while the server goes on. */
class LostEngineIT {
  @Test
  void isReplacedAndReadinessSaysSoMeanwhile() throws Exception {
    try (var server = TestingLakeServer.start();
        TestingClient client = server.connect()) {
      client.update("CREATE TABLE kept AS SELECT i FROM range(100) t(i)");
      client.update("CREATE TEMP TABLE lost AS SELECT 1 AS i");
      ManagedChannel channel =
          NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
      var seen = new CopyOnWriteArrayList<ServingStatus>();
      HealthGrpc.newStub(channel)
          .watch(
              HealthCheckRequest.getDefaultInstance(),
              new io.grpc.stub.StreamObserver<>() {
                @Override
                public void onNext(io.grpc.health.v1.HealthCheckResponse response) {
                  seen.add(response.getStatus());
                }

                @Override
                public void onError(Throwable thrown) {}

                @Override
                public void onCompleted() {}
              });
      await().until(() -> seen.contains(ServingStatus.SERVING));
      try (TestingClient reader = server.connect();
          FlightStream stream = reader.open("SELECT i FROM range(1000000000000) t(i)")) {
        assertThat(stream.next()).isTrue();

        server
            .server()
            .engine()
            .lost(new EngineException(EngineError.FATAL, "FATAL Error: planted by a test"));

        assertFails(
            Status.Code.UNAVAILABLE,
            () -> {
              while (stream.next()) {
                assertThat(stream.getRoot().getRowCount()).isPositive();
              }
            });
      }
      await().atMost(Duration.ofSeconds(10)).until(() -> server.server().isReady());
      await()
          .until(
              () ->
                  seen.equals(
                      java.util.List.of(
                          ServingStatus.SERVING,
                          ServingStatus.NOT_SERVING,
                          ServingStatus.SERVING)));
      channel.shutdownNow();
      assertThat(client.value("SELECT count(*) FROM kept")).isEqualTo(100L);
      assertFails(Status.Code.NOT_FOUND, () -> client.info("SELECT * FROM lost"));
      client.update("INSERT INTO kept VALUES (100)");
      assertThat(client.value("SELECT count(*) FROM kept")).isEqualTo(101L);
    }
  }

  /** DuckLake cannot write such a column, and DuckDB takes that for an error of its own. */
  @Test
  void anInternalErrorInATransactionDoesNotEndTheProcess() throws Exception {
    try (var server = TestingLakeServer.start();
        TestingClient client = server.connect()) {
      client.update("CREATE TABLE t (x TIME_NS)");
      assertFails(
          Status.Code.INTERNAL,
          () -> client.update("INSERT INTO t SELECT TIME_NS '10:00:00' FROM range(20)"));
      assertThat(server.server().isReady()).isFalse();
      assertFails(Status.Code.UNAVAILABLE, () -> client.info("SELECT 1"));
    }
  }

  /**
   * An error's text is the client's to choose: it may lie about the engine, which is then asked.
   */
  @Test
  void isNotGivenUpForTheTextOfAnError() throws Exception {
    try (var server = TestingLakeServer.start();
        TestingClient client = server.connect()) {
      for (String lie :
          java.util.List.of(
              "SELECT 'database has been invalidated'::INT",
              "SELECT error('FATAL Error: database has been invalidated')",
              "SELECT error('x\nError: INTERNAL Error: y')",
              "SELECT error('Attempting to execute an unsuccessful or closed pending query"
                  + " result\nError: FATAL Error: z')",
              "SELECT error('[errno -1] CDataJniException{errno=-1, message=FATAL Error: z}')")) {
        // Which status it gets that way is between the client and itself.
        assertThatThrownBy(() -> client.info(lie)).isNotNull();
        assertThat(server.server().isReady()).isTrue();
      }
      client.update("CREATE TEMP TABLE still_there AS SELECT 1 AS i");
      server
          .server()
          .engine()
          .failed(new EngineException(EngineError.FATAL, "FATAL Error: planted by a test"));
      assertThat(server.server().isReady()).isTrue();
      assertThat(client.value("SELECT count(*) FROM still_there")).isEqualTo(1L);
    }
  }
}
