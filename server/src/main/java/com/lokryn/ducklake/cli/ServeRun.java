package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.app.LakeServer;
import com.lokryn.ducklake.app.UnpackedLibraries;
import com.lokryn.ducklake.auth.Users;
import com.lokryn.ducklake.config.ConfigException;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.Settings.Auth;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.engine.Extensions;
import com.lokryn.ducklake.observe.Logging;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
  /** The HTTP port that stands for none. */
  static final int NO_HTTP = 0;

  private static final Logger LOG = LoggerFactory.getLogger(ServeRun.class);

  /** After drain_delay and drain_timeout. The last report of usage may take 2 s of it. */
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(3);

  static void printLine(String line) {
    System.out.println(line);
    System.out.flush();
  }

  /** The users that are set, if any are; {@code flight_auth=none} comes before them. */
  static Optional<Users> users(ServerConfig config) {
    try {
      Optional<Users> users = Users.configured(config);
      if (users.isPresent() && config.find(Settings.FLIGHT_AUTH).orElse(null) == Auth.NONE) {
        LOG.warn("flight_auth=none: users or an identity provider are set, and nobody is asked");
      }
      return users;
    } catch (StartException e) {
      throw failed(e);
    }
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
   * Where to answer on /livez and /readyz; 0 for nowhere.
   *
   * @param usual where no port is set
   */
  static int httpPort(ServerConfig config, int usual) {
    int port = config.find(Settings.HTTP_PORT).orElse(usual);
    if (port != NO_HTTP && port == config.get(Settings.FLIGHT_PORT)) {
      throw failed(ExitCode.CONFIGURATION, "http_port and flight_port are both %d".formatted(port));
    }
    return port;
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
      int httpPort,
      Consumer<LakeServer> made)
      throws Exception {
    try (var server = new LakeServer(config, service, address, extensions, ServeRun::giveUp)) {
      made.accept(server);
      if (httpPort != NO_HTTP) {
        startHttp(server, address, httpPort);
      }
      if (!hasTls(config) && !address.getAddress().isLoopbackAddress()) {
        LOG.warn(
            "the Flight port speaks no TLS: passwords and rows cross the network in clear unless a load"
                + " balancer or a private network keeps them; set flight_tls_certificate");
      }
      return serve(config, server, address);
    }
  }

  private static boolean hasTls(ServerConfig config) {
    return config.find(Settings.FLIGHT_TLS_CERTIFICATE).isPresent();
  }

  private int serve(ServerConfig config, LakeServer server, InetSocketAddress address)
      throws Exception {
    var stopped = new CountDownLatch(1);
    int bound = start(server, address);
    // Before the line that tells a script that it may stop the server.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server, stopped), "shutdown"));
    StopSignals.hurry(server::hurry);
    printLine(
        "✓ Flight SQL server listening on %s://%s:%s"
            .formatted(hasTls(config) ? "grpc+tls" : "grpc", hostText(address), bound));
    if (training) {
      Training.run(bound);
      return ExitCode.DONE;
    }
    stopped.await();
    return ExitCode.DONE;
  }

  private static void startHttp(LakeServer server, InetSocketAddress address, int port) {
    try {
      server.listenHttp(port);
      LOG.info("/livez, /readyz and /metrics are on http://{}:{}", hostText(address), port);
    } catch (IOException e) {
      throw failed(
          ExitCode.DEPENDENCY,
          "cannot listen on %s:%d: the port is in use or not allowed; set http_port to another, or"
                  .formatted(hostText(address), port)
              + " to 0 for none");
    }
  }

  private static int start(LakeServer server, InetSocketAddress address)
      throws InterruptedException {
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
    Logging.close();
    Runtime.getRuntime().halt(ExitCode.INTERNAL);
  }

  /** SIGTERM: no new calls, running ones may end, exit 0. */
  private static void stop(LakeServer server, CountDownLatch stopped) {
    try {
      server.drain();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      close(server);
      stopped.countDown();
      UnpackedLibraries.delete();
      Logging.close();
      // A process that ends by a signal would report the signal.
      Runtime.getRuntime().halt(ExitCode.DONE);
    }
  }

  /** The engine cannot be closed while a call of it waits for a Postgres that answers nothing. */
  private static void close(LakeServer server) {
    Thread closing = EngineThreads.factory("close").newThread(server::close);
    closing.start();
    try {
      if (!closing.join(CLOSE_TIMEOUT)) {
        LOG.warn("not all of the server could be closed: something that it waits for is silent");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  static CommandFailure failed(ConfigException e) {
    return new CommandFailure(ExitCode.CONFIGURATION, "✗ " + String.join("\n✗ ", e.problems()));
  }

  static CommandFailure failed(StartException e) {
    return failed(exitCode(e.problem()), e.problem().sentence());
  }

  static int exitCode(StartProblem problem) {
    return switch (problem.kind()) {
      case PERMISSION -> ExitCode.PERMISSION;
      case CONFIGURATION -> ExitCode.CONFIGURATION;
      case DEPENDENCY -> ExitCode.DEPENDENCY;
    };
  }

  static CommandFailure failed(int code, String text) {
    return new CommandFailure(code, "✗ " + text);
  }

  static String hostText(InetSocketAddress address) {
    String text = address.getAddress().getHostAddress();
    return text.contains(":") ? "[" + text + "]" : text;
  }
}
