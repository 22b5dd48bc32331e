package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.app.LakeServer;
import com.lokryn.ducklake.app.Production;
import com.lokryn.ducklake.app.UnpackedLibraries;
import com.lokryn.ducklake.aws.AwsClients;
import com.lokryn.ducklake.aws.SecretsManagerSource;
import com.lokryn.ducklake.config.Cascade;
import com.lokryn.ducklake.config.ConfigException;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.Settings.Auth;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.lake.Lake;
import com.lokryn.ducklake.lake.LocalLake;
import com.lokryn.ducklake.observe.Logging;
import com.lokryn.ducklake.query.Users;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "serve",
    description = "Serves a lake over Arrow Flight SQL.",
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(ServeCommand.class);
  private static final int DEFAULT_HTTP_PORT = 8080;
  private static final int NO_HTTP = 0;

  /** With the usual drain_timeout it is what orchestrators give before they kill: 30 s. */
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(3);

  @Option(
      names = "--local",
      arity = "0..1",
      fallbackValue = "./lake",
      paramLabel = "DIR",
      description = "Serve a lake in a directory of this machine; ./lake where none is given.")
  private @Nullable Path local;

  @Option(names = "--host", description = "Address to listen on.")
  private @Nullable String host;

  @Option(names = "--port", description = "Port to listen on; 0 takes any free one.")
  private @Nullable String port;

  @Option(names = "--config", paramLabel = "FILE", description = "A properties file of settings.")
  private @Nullable Path file;

  @Option(
      names = "--ducklake-secret-id",
      paramLabel = "ID",
      description = "Name or ARN of the secret with the configuration, without --local.")
  private @Nullable String secretId;

  @Option(
      names = "--training",
      hidden = true,
      description = "Answer a few queries of its own, and end.")
  private boolean training;

  @Mixin private ExtensionDirectory extensions = new ExtensionDirectory();

  @Override
  public Integer call() throws Exception {
    configureLog(System.getenv());
    return local == null ? serveProduction() : serveLocal(local);
  }

  private int serveLocal(Path directory) throws Exception {
    ServerConfig config;
    try {
      config = ServerConfig.of(given(), Optional.ofNullable(file), System.getenv());
    } catch (ConfigException e) {
      throw failed(e);
    }
    configureLog(config);
    InetSocketAddress address = address(config, "127.0.0.1");
    if (config.find(Settings.FLIGHT_AUTH).orElse(defaultAuth(address)) != Auth.NONE) {
      throw new CommandFailure(
          ExitCode.CONFIGURATION,
          "✗ no users are configured for %s: set flight_auth=none to let everyone in who reaches"
                  .formatted(hostText(address))
              + " the port");
    }
    Lake lake = new LocalLake(directory.toAbsolutePath().normalize());
    try (var server = new LakeServer(config, lake, Users.anyone(), address, extensions.get())) {
      return serve(server, address, httpPort(config, NO_HTTP));
    }
  }

  private int serveProduction() throws Exception {
    try (var clients = AwsClients.ofProcess()) {
      ServerConfig config;
      try {
        config =
            new Cascade(new SecretsManagerSource(clients), System.getenv(), ServeCommand::printLine)
                .read(given(), Optional.ofNullable(file));
      } catch (ConfigException e) {
        throw failed(e);
      } catch (StartException e) {
        throw failed(e);
      }
      configureLog(config);
      InetSocketAddress address = address(config, "0.0.0.0");
      try (var production = production(clients, config);
          var server =
              new LakeServer(config, production.lake(), users(config), address, extensions.get())) {
        production.keep(server);
        return serve(server, address, httpPort(config, DEFAULT_HTTP_PORT));
      }
    }
  }

  private static Production production(AwsClients clients, ServerConfig config) {
    try {
      var production = new Production(clients, config);
      try {
        printLine("✓ S3 write test passed: " + production.checkBucket());
        return production;
      } catch (StartException e) {
        production.close();
        throw e;
      }
    } catch (StartException e) {
      throw failed(e);
    }
  }

  private static Users users(ServerConfig config) {
    if (config.find(Settings.FLIGHT_AUTH).orElse(Auth.BASIC) == Auth.NONE) {
      LOG.warn("flight_auth=none: everyone who reaches the port may do everything in the lake");
      return Users.anyone();
    }
    LOG.warn(
        "clients log in with postgres_user and postgres_password, the same that open the catalog");
    return Users.one(config.get(Settings.POSTGRES_USER), config.get(Settings.POSTGRES_PASSWORD));
  }

  private int serve(LakeServer server, InetSocketAddress address, int httpPort) throws Exception {
    var stopped = new CountDownLatch(1);
    if (httpPort != NO_HTTP) {
      startHttp(server, address, httpPort);
    }
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

  private static int httpPort(ServerConfig config, int usual) {
    int port = config.find(Settings.HTTP_PORT).orElse(usual);
    if (port != NO_HTTP && port == config.get(Settings.FLIGHT_PORT)) {
      throw new CommandFailure(
          ExitCode.CONFIGURATION, "✗ http_port and flight_port are both %d".formatted(port));
    }
    return port;
  }

  private static void startHttp(LakeServer server, InetSocketAddress address, int port) {
    try {
      server.listenHttp(port);
      LOG.info("/livez and /readyz are on http://{}:{}", hostText(address), port);
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

  private static void printLine(String line) {
    System.out.println(line);
    System.out.flush();
  }

  private static void configureLog(Map<String, String> environment) {
    Logging.configure(
        "json".equalsIgnoreCase(environment.get(Settings.LOG_FORMAT.variable())),
        environment.getOrDefault(Settings.LOG_LEVEL.variable(), "info"));
  }

  private static void configureLog(ServerConfig config) {
    Logging.configure(
        config.get(Settings.LOG_FORMAT) == Settings.LogFormat.JSON,
        config.get(Settings.LOG_LEVEL).name());
  }

  private static CommandFailure failed(ConfigException e) {
    return new CommandFailure(ExitCode.CONFIGURATION, "✗ " + String.join("\n✗ ", e.problems()));
  }

  private static CommandFailure failed(StartException e) {
    return failed(
        switch (e.problem().kind()) {
          case PERMISSION -> ExitCode.PERMISSION;
          case CONFIGURATION -> ExitCode.CONFIGURATION;
          case DEPENDENCY -> ExitCode.DEPENDENCY;
        },
        e.problem().sentence());
  }

  private static CommandFailure failed(int code, @Nullable String text) {
    return new CommandFailure(code, "✗ " + text);
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

  /** What the command line sets, by key. */
  private Map<String, String> given() {
    Map<String, String> given = new LinkedHashMap<>();
    if (host != null) {
      given.put(Settings.FLIGHT_HOST.key(), host);
    }
    if (port != null) {
      given.put(Settings.FLIGHT_PORT.key(), port);
    }
    if (secretId != null) {
      given.put(Settings.DUCKLAKE_SECRET_ID.key(), secretId);
    }
    return given;
  }

  private static InetSocketAddress address(ServerConfig config, String usual) {
    String host = config.find(Settings.FLIGHT_HOST).orElse(usual);
    try {
      return new InetSocketAddress(InetAddress.getByName(host), config.get(Settings.FLIGHT_PORT));
    } catch (UnknownHostException e) {
      throw new CommandFailure(
          ExitCode.CONFIGURATION, "✗ flight_host: the host %s is not known".formatted(host));
    }
  }

  /** On this machine alone a password protects nothing. */
  private static Auth defaultAuth(InetSocketAddress address) {
    return address.getAddress().isLoopbackAddress() ? Auth.NONE : Auth.BASIC;
  }

  private static String hostText(InetSocketAddress address) {
    String text = address.getAddress().getHostAddress();
    return text.contains(":") ? "[" + text + "]" : text;
  }
}
