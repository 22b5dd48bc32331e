package com.lokryn.ducklake.testing;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;

/** A host that nothing should reach: it counts the connections that come. */
public final class TrapHost implements AutoCloseable {
  private final ServerSocket socket = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
  private final AtomicInteger connections = new AtomicInteger();

  /** Starts it, and shows that it counts. */
  public TrapHost() throws IOException {
    Thread.ofVirtual().start(this::watch);
    new Socket(socket.getInetAddress(), port()).close();
    await().until(() -> connections.get() == 1);
    connections.set(0);
  }

  private void watch() {
    try {
      while (true) {
        socket.accept().close();
        connections.incrementAndGet();
      }
    } catch (IOException _) {
      // Closed.
    }
  }

  public int port() {
    return socket.getLocalPort();
  }

  /** Those that came so far. */
  public int connections() {
    return connections.get();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
