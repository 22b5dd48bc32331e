package com.lokryn.ducklake.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A balancer of connections, as a Network Load Balancer is: it asks {@code /readyz} of each server
 * every now and then, takes two failures for the end of it, and gives new connections to those that
 * are ready, in turns. Connections that are made stay. Thread-safe.
 */
public final class TestingBalancer implements AutoCloseable {
  private static final Duration INTERVAL = Duration.ofSeconds(1);
  private static final int FAILURES = 2;
  private static final int PIECE_BYTES = 64 << 10;

  private static final class Target {
    private final int flightPort;
    private final int httpPort;
    private final AtomicInteger failures = new AtomicInteger(FAILURES);
    private final AtomicInteger connections = new AtomicInteger();

    Target(int flightPort, int httpPort) {
      this.flightPort = flightPort;
      this.httpPort = httpPort;
    }

    boolean isHealthy() {
      return failures.get() < FAILURES;
    }
  }

  private final HttpClient http =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build();
  private final List<Target> targets = new CopyOnWriteArrayList<>();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final AtomicInteger turn = new AtomicInteger();
  private final ServerSocket listener;
  private final Thread asking;

  public TestingBalancer() {
    try {
      listener = new ServerSocket();
      listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 200);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
    asking = Thread.ofVirtual().start(this::ask);
  }

  /** Where clients come to. */
  public int port() {
    return listener.getLocalPort();
  }

  /** Adds a server, which gets connections once it is ready. */
  public void add(int flightPort, int httpPort) {
    targets.add(new Target(flightPort, httpPort));
  }

  /** How many connections a server has through it. */
  public int connections(int flightPort) {
    return target(flightPort).connections.get();
  }

  public boolean isHealthy(int flightPort) {
    return target(flightPort).isHealthy();
  }

  private Target target(int flightPort) {
    return targets.stream().filter(one -> one.flightPort == flightPort).findFirst().orElseThrow();
  }

  private void ask() {
    try {
      while (true) {
        for (Target target : targets) {
          if (isReady(target)) {
            target.failures.set(0);
          } else {
            target.failures.incrementAndGet();
          }
        }
        Thread.sleep(INTERVAL);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isReady(Target target) throws InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/readyz".formatted(target.httpPort)))
            .timeout(Duration.ofSeconds(2))
            .build();
    try {
      return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException e) {
      return false;
    }
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        sockets.add(client);
        Thread.ofVirtual().start(() -> carry(client));
      } catch (IOException e) {
        // It is closed.
      }
    }
  }

  private void carry(Socket client) {
    List<Target> healthy = targets.stream().filter(Target::isHealthy).toList();
    try (client) {
      if (healthy.isEmpty()) {
        return;
      }
      Target target = healthy.get(Math.floorMod(turn.getAndIncrement(), healthy.size()));
      try (var server = new Socket(InetAddress.getLoopbackAddress(), target.flightPort)) {
        target.connections.incrementAndGet();
        sockets.add(server);
        Thread there = Thread.ofVirtual().start(() -> copy(client, server));
        copy(server, client);
        there.join();
        sockets.remove(server);
        target.connections.decrementAndGet();
      }
    } catch (IOException e) {
      // The server has gone, and its client sees that.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      sockets.remove(client);
    }
  }

  private static void copy(Socket from, Socket to) {
    try {
      byte[] piece = new byte[PIECE_BYTES];
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
        out.write(piece, 0, n);
      }
      to.shutdownOutput();
    } catch (IOException e) {
      close(from);
      close(to);
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // It is closed.
    }
  }

  @Override
  public void close() throws IOException {
    asking.interrupt();
    listener.close();
    sockets.forEach(TestingBalancer::close);
    http.shutdownNow();
  }
}
