package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.observe.Counts;
import com.lokryn.ducklake.observe.Limit;
import com.lokryn.ducklake.testing.TestingClock;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Connections on which nobody says who they are. */
class SocketsTest {
  private final TestingClock clock = new TestingClock("2026-01-01T00:00:00Z");
  private final Sockets sockets = new Sockets(4, clock, new Counts<>(Limit.class));
  private final List<Socket> clients = new ArrayList<>();
  private Server server;

  @BeforeEach
  void start() throws IOException {
    var builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    sockets.serve(builder);
    server = builder.addService(new HealthStatusManager().getHealthService()).build().start();
  }

  @AfterEach
  void stop() throws IOException {
    for (Socket client : clients) {
      client.close();
    }
    server.shutdownNow();
    sockets.close();
  }

  private Socket connect() throws IOException {
    var client = new Socket(InetAddress.getLoopbackAddress(), server.getPort());
    client.setSoTimeout(10_000);
    clients.add(client);
    return client;
  }

  /** What the server sends first, its settings, does not matter. */
  private static boolean isClosed(Socket client) throws IOException {
    client.getInputStream().readAllBytes();
    return true;
  }

  @Test
  void aSilentOneIsClosed() throws Exception {
    Socket silent = connect();
    await().until(() -> sockets.count() == 1);
    clock.advance(Duration.ofSeconds(19));
    sockets.sweep();
    assertThat(sockets.count()).isEqualTo(1);
    clock.advance(Duration.ofSeconds(2));
    sockets.sweep();
    assertThat(isClosed(silent)).isTrue();
    await().until(() -> sockets.count() == 0);
  }

  @Test
  void theOldestMakesRoom() throws Exception {
    Socket oldest = connect();
    for (int i = 0; i < 32; i++) {
      connect();
    }
    assertThat(isClosed(oldest)).isTrue();
    await().until(() -> sockets.count() == 32);
  }

  @Test
  void oneThatIsGoneIsForgotten() throws Exception {
    Socket gone = connect();
    await().until(() -> sockets.count() == 1);
    gone.close();
    await().until(() -> sockets.count() == 0);
  }
}
