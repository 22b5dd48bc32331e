package com.lokryn.ducklake.testing;

import com.lokryn.ducklake.app.LakeServer;
import com.lokryn.ducklake.auth.TlsWatch;
import com.lokryn.ducklake.auth.Users;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.engine.Extensions;
import com.lokryn.ducklake.lake.LocalLake;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** A whole server in this process, on a free port, with a lake of its own that goes with it. */
public final class TestingLakeServer implements AutoCloseable {
  private static final TlsWatch.Timing QUICK =
      new TlsWatch.Timing(Duration.ofMillis(50), Duration.ofDays(7));

  private final LakeServer server;
  private final Path directory;
  private final int port;

  private TestingLakeServer(LakeServer server, Path directory, int port) {
    this.server = server;
    this.directory = directory;
    this.port = port;
  }

  public static TestingLakeServer start() throws Exception {
    return start(Map.of());
  }

  /** Starts with settings, by key. */
  public static TestingLakeServer start(Map<String, String> settings) throws Exception {
    return start(settings, 0);
  }

  private static TestingLakeServer start(Map<String, String> settings, int port) throws Exception {
    var all = new LinkedHashMap<>(Map.of("memory_limit", "2GB", "drain_timeout", "2s"));
    all.putAll(settings);
    Path directory = Files.createTempDirectory("lake");
    ServerConfig config = ServerConfig.of(all, Optional.empty(), Map.of());
    var server =
        new LakeServer(
            config,
            LakeServer.Service.of(
                new LocalLake(directory), Users.configured(config).orElseGet(Users::anyone)),
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
            extensions(),
            () -> {});
    server.openLake(QUICK);
    server.checkLake();
    return new TestingLakeServer(server, directory, server.listen());
  }

  /** Where `extensions install` puts them; bin/test says it, because of XDG_CACHE_HOME. */
  public static Extensions extensions() {
    String given = System.getProperty("ducklake.extensions");
    return Extensions.below(
        given == null
            ? Path.of(System.getProperty("user.home"), ".cache", "ducklake-flight", "extensions")
            : Path.of(given));
  }

  public int port() {
    return port;
  }

  /** Where its lake is. */
  public Path directory() {
    return directory;
  }

  public LakeServer server() {
    return server;
  }

  public TestingClient connect() {
    return new TestingClient(port);
  }

  /** As one of {@link TestingUsers}. */
  public TestingClient connect(String user) {
    return TestingClient.of(port, user, TestingUsers.PASSWORD);
  }

  @Override
  public void close() throws Exception {
    server.close();
    delete(directory);
  }

  public static void delete(Path directory) throws Exception {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  /** A server to play with, until the process is ended. */
  public static void main(String[] arguments) throws Exception {
    try (var server = start(Map.of(), 31_337)) {
      System.out.println("grpc://127.0.0.1:" + server.port());
      new java.util.concurrent.CountDownLatch(1).await();
    }
  }
}
