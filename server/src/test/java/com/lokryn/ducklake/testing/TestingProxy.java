package com.lokryn.ducklake.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A network between a server and a service on this machine, which fails as a test wants it to. It
 * keeps its port in all modes. Thread-safe.
 */
public final class TestingProxy implements AutoCloseable {
  /** What the network does. */
  public enum Mode {
    /** Carries everything. */
    PASS,
    /** Carries everything, each piece of data after the delay. */
    DELAY,
    /** Ends all connections, and refuses new ones: nobody listens. */
    REFUSE,
    /** Ends all connections, and each new one as soon as it is made. */
    CUT,
    /** Takes connections and data, and carries nothing until the mode changes. */
    HANG
  }

  private static final int PIECE_BYTES = 64 << 10;

  private final InetSocketAddress target;
  private final InetSocketAddress address;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

  // Guarded by this.
  private @Nullable ServerSocket listener;
  private Mode mode = Mode.PASS;
  private Duration delay = Duration.ZERO;
  private long connections;

  private TestingProxy(int targetPort) throws IOException {
    target = new InetSocketAddress(InetAddress.getLoopbackAddress(), targetPort);
    ServerSocket first = bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    address = new InetSocketAddress(InetAddress.getLoopbackAddress(), first.getLocalPort());
    listen(first);
  }

  /** A proxy that passes everything on to a port of this machine. */
  public static TestingProxy to(int port) {
    try {
      return new TestingProxy(port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public int port() {
    return address.getPort();
  }

  /** How many connections were made to it. */
  public synchronized long connections() {
    return connections;
  }

  public synchronized void set(Mode next) {
    mode = next;
    notifyAll();
    try {
      if (next == Mode.REFUSE) {
        stopListening();
      } else if (listener == null) {
        listen(bind(address));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (next == Mode.REFUSE || next == Mode.CUT) {
      sockets.forEach(TestingProxy::reset);
    }
  }

  /** {@link Mode#DELAY}, each piece by this time. */
  public synchronized void delay(Duration time) {
    delay = time;
    set(Mode.DELAY);
  }

  private static ServerSocket bind(InetSocketAddress address) throws IOException {
    var socket = new ServerSocket();
    socket.setReuseAddress(true);
    socket.bind(address, 200);
    return socket;
  }

  private synchronized void listen(ServerSocket socket) {
    listener = socket;
    Thread.ofVirtual().start(() -> accept(socket));
  }

  private void accept(ServerSocket socket) {
    while (!socket.isClosed()) {
      try {
        Socket client = socket.accept();
        sockets.add(client);
        Thread.ofVirtual().start(() -> carry(client));
      } catch (IOException e) {
        // It stops listening, or the client has gone already.
      }
    }
  }

  private void carry(Socket client) {
    try {
      synchronized (this) {
        connections++;
      }
      if (awaitPassing() == Mode.CUT) {
        reset(client);
        return;
      }
      try (client;
          var service = new Socket()) {
        sockets.add(service);
        service.connect(target, 5_000);
        Thread there = Thread.ofVirtual().start(() -> copy(client, service));
        copy(service, client);
        there.join();
        sockets.remove(service);
      }
    } catch (IOException e) {
      reset(client);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      sockets.remove(client);
    }
  }

  private void copy(Socket from, Socket to) {
    try {
      byte[] piece = new byte[PIECE_BYTES];
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
        awaitPassing();
        out.write(piece, 0, n);
      }
      awaitPassing();
      to.shutdownOutput();
    } catch (IOException e) {
      reset(from);
      reset(to);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Mode awaitPassing() throws InterruptedException {
    Duration wait;
    synchronized (this) {
      while (mode == Mode.HANG) {
        wait();
      }
      if (mode != Mode.DELAY) {
        return mode;
      }
      wait = delay;
    }
    Thread.sleep(wait);
    return Mode.PASS;
  }

  /** Ends a connection at once, as a machine that goes away and comes back does. */
  private static void reset(Socket socket) {
    try {
      if (!socket.isClosed()) {
        socket.setOption(StandardSocketOptions.SO_LINGER, 0);
      }
      socket.close();
    } catch (IOException e) {
      // It is closed.
    }
  }

  private synchronized void stopListening() throws IOException {
    if (listener != null) {
      listener.close();
      listener = null;
    }
  }

  @Override
  public void close() {
    set(Mode.REFUSE);
  }
}
