package com.lokryn.ducklake.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingLakeServer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.junit.jupiter.api.Test;

class FlightSqlConnectionIT {
  /** A sink that fails at its second batch, as a pipe does that nobody reads any more. */
  private static final class Full implements ResultSink {
    private int batches;

    @Override
    public void start(VectorSchemaRoot columns, DictionaryProvider dictionaries) {}

    @Override
    public void batch(VectorSchemaRoot batch, DictionaryProvider dictionaries) throws IOException {
      if (++batches == 2) {
        throw new IOException("full");
      }
    }

    @Override
    public void end() {}
  }

  @Test
  void sinkThatFailsEndsTheStatement() throws Exception {
    try (var server = TestingLakeServer.start();
        var connection = open(server)) {
      var sink = new Full();
      assertThatThrownBy(() -> connection.run("FROM range(1_000_000_000_000)", sink))
          .isInstanceOf(IOException.class)
          .hasMessage("full");
      assertThat(sink.batches).isEqualTo(2);
      await().atMost(Duration.ofSeconds(10)).until(() -> server.server().openStreams() == 0);
      assertThat(connection.run("SELECT 1", new Full())).isEmpty();
    }
  }

  @Test
  void changesAreCounted() throws Exception {
    try (var server = TestingLakeServer.start();
        var connection = open(server)) {
      for (String statement : List.of("CREATE TABLE t (i INT)", "INSERT INTO t VALUES (1), (2)")) {
        connection.run(statement, new Full());
      }
      assertThat(connection.run("DELETE FROM t WHERE i = 2", new Full())).hasValue(1);
      assertThat(connection.run("DELETE FROM t WHERE i = 2", new Full())).hasValue(0);
    }
  }

  private static FlightSqlConnection open(TestingLakeServer server) throws Exception {
    return FlightSqlConnection.open(
        ServerUrl.parse("grpc://127.0.0.1:" + server.port()), ClientTls.USUAL, Optional.empty());
  }
}
