package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.app.LakeServer;
import com.lokryn.ducklake.app.UnpackedLibraries;
import com.lokryn.ducklake.config.ConfigException;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Extensions;
import com.lokryn.ducklake.observe.Logging;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/**
 * What all ways of {@code serve} share: the lines that they print, how a start fails, and the time
 * from the start to the end.
 *
 * @param given what the command line sets, by key
 * @param file the file of settings
 * @param training whether to end after a few queries of its own
 */
record ServeRun(
    Map<String, String> given, Optional<Path> file, Extensions extensions, boolean training) {
  static void printLine(String line) {
    System.out.println(line);
    System.out.flush();
  }

  static void configureLog(Map<String, String> environment) {
    Logging.configure(
        "json".equalsIgnoreCase(environment.get(Settings.LOG_FORMAT.variable())),
        environment.getOrDefault(Settings.LOG_LEVEL.variable(), "info"));
  }

  static void configureLog(ServerConfig config) {
    Logging.configure(
        config.get(Settings.LOG_FORMAT) == Settings.LogFormat.JSON,
        config.get(Settings.LOG_LEVEL).name());
  }

  /**
   * Where to listen.
   *
   * @param usual where no address is set
   */
  static InetSocketAddress address(ServerConfig config, String usual) {
    String host = config.find(Settings.FLIGHT_HOST).orElse(usual);
    try {
      return new InetSocketAddress(InetAddress.getByName(host), config.get(Settings.FLIGHT_PORT));
    } catch (UnknownHostException e) {
      throw new CommandFailure(
          ExitCode.CONFIGURATION, "✗ flight_host: the host %s is not known".formatted(host));
    }
  }

  /**
   * Makes a server and serves until it is told to stop.
   *
   * @param made told of the server before it starts
   * @return the exit code
   */
  int serve(
      ServerConfig config,
      LakeServer.Service service,
      InetSocketAddress address,
      Consumer<LakeServer> made)
      throws Exception {
    try (var server = new LakeServer(config, service, address, extensions, ServeRun::giveUp)) {
      made.accept(server);
      return serve(server, address);
    }
  }

  private int serve(LakeServer server, InetSocketAddress address) throws Exception {
    var stopped = new CountDownLatch(1);
    int bound = start(server, address);
    // Before the line that tells a script that it may stop the server.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server, stopped), "shutdown"));
    printLine("✓ Flight SQL server listening on grpc://%s:%d".formatted(hostText(address), bound));
    if (training) {
      Training.run(bound);
      return ExitCode.DONE;
    }
    stopped.await();
    return ExitCode.DONE;
  }

  private static int start(LakeServer server, InetSocketAddress address) {
    try {
      server.openLake();
      printLine("✓ DuckLake catalog configured");
      server.checkLake();
      printLine("✓ DuckLake catalog initialized successfully");
      return server.listen();
    } catch (StartException e) {
      throw failed(e);
    } catch (EngineException e) {
      throw failed(ExitCode.INTERNAL, e.text());
    } catch (IOException e) {
      throw failed(
          ExitCode.DEPENDENCY,
          "cannot listen on %s:%d: the port is in use or not allowed; take another with --port"
              .formatted(hostText(address), address.getPort()));
    }
  }

  /** The engine is lost and its lake is held: whoever started this process starts it again. */
  private static void giveUp() {
    System.err.println("✗ the engine is lost and cannot be opened in this process; start it again");
    Runtime.getRuntime().halt(ExitCode.INTERNAL);
  }

  /** SIGTERM: no new calls, running ones may end, exit 0. */
  private static void stop(LakeServer server, CountDownLatch stopped) {
    try {
      server.drain();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      server.close();
      stopped.countDown();
      UnpackedLibraries.delete();
      // A process that ends by a signal would report the signal.
      Runtime.getRuntime().halt(ExitCode.DONE);
    }
  }

  static CommandFailure failed(ConfigException e) {
    return new CommandFailure(ExitCode.CONFIGURATION, "✗ " + String.join("\n✗ ", e.problems()));
  }

  static CommandFailure failed(StartException e) {
    return failed(
        switch (e.problem().kind()) {
          case PERMISSION -> ExitCode.PERMISSION;
          case CONFIGURATION -> ExitCode.CONFIGURATION;
          case DEPENDENCY -> ExitCode.DEPENDENCY;
        },
        e.problem().sentence());
  }

  static CommandFailure failed(int code, String text) {
    return new CommandFailure(code, "✗ " + text);
  }

  static String hostText(InetSocketAddress address) {
    String text = address.getAddress().getHostAddress();
    return text.contains(":") ? "[" + text + "]" : text;
  }
}
