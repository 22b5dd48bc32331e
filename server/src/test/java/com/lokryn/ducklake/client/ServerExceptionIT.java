package com.lokryn.ducklake.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.lokryn.ducklake.testing.TestingLakeServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Optional;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.junit.jupiter.api.Test;

class ServerExceptionIT {
  @Test
  void unknownHost() throws Exception {
    assertUnreachable("grpc://no-such-host.invalid:1", "the name of the host is not known");
  }

  @Test
  void refusedConnection() throws Exception {
    int free;
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      free = socket.getLocalPort();
    }
    assertUnreachable("grpc://127.0.0.1:" + free, "no server answers at grpc://127.0.0.1:" + free);
    assertUnreachable("grpc+tls://127.0.0.1:" + free, "no server answers at grpc+tls://127.0.0.1");
  }

  @Test
  void tlsToServerWithoutIt() throws Exception {
    try (var server = TestingLakeServer.start()) {
      assertUnreachable(
          "grpc+tls://127.0.0.1:" + server.port(),
          "does not speak TLS: use grpc://127.0.0.1:" + server.port());
    }
  }

  /** As a TLS server does with a client that begins without a handshake. */
  @Test
  void serverThatHangsUp() throws Exception {
    try (var socket = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual().start(() -> hangUp(socket));
      assertUnreachable(
          "grpc://127.0.0.1:" + socket.getLocalPort(),
          "if it speaks TLS, use grpc+tls://127.0.0.1:" + socket.getLocalPort());
    }
  }

  @Test
  void refusalsAreNotUnreachable() throws Exception {
    try (var server = TestingLakeServer.start()) {
      var refused = fail("grpc://127.0.0.1:" + server.port());
      assertThat(refused.isUnreachable()).isFalse();
      assertThat(refused).hasMessageContaining("syntax error at or near \"selec\"");
    }
  }

  private static void assertUnreachable(String url, String text) throws Exception {
    var unreachable = fail(url);
    assertThat(unreachable.isUnreachable()).as(String.valueOf(unreachable)).isTrue();
    assertThat(unreachable.getMessage()).contains(text).hasLineCount(1);
    assertThat(HealthProbe.ask(ServerUrl.parse(url), ClientTls.USUAL).orElseThrow())
        .contains(text)
        .hasLineCount(1);
  }

  private static ServerException fail(String url) throws Exception {
    try (var connection =
        FlightSqlConnection.open(ServerUrl.parse(url), ClientTls.USUAL, Optional.empty())) {
      return catchThrowableOfType(
          ServerException.class, () -> connection.run("selec 1", new Nothing()));
    }
  }

  private static void hangUp(ServerSocket socket) {
    try {
      while (true) {
        var accepted = socket.accept();
        var in = accepted.getInputStream();
        in.read();
        in.skip(in.available());
        accepted.close();
      }
    } catch (IOException _) {
      // The test is over.
    }
  }

  private record Nothing() implements ResultSink {
    @Override
    public void start(VectorSchemaRoot columns, DictionaryProvider dictionaries) {}

    @Override
    public void batch(VectorSchemaRoot batch, DictionaryProvider dictionaries) {}

    @Override
    public void end() {}
  }
}
