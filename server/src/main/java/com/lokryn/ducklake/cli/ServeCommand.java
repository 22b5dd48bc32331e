package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.app.LakeServer;
import com.lokryn.ducklake.app.UnpackedLibraries;
import com.lokryn.ducklake.config.ConfigException;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.Settings.Auth;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.lake.LakeLocation;
import com.lokryn.ducklake.lake.LakeUnavailableException;
import com.lokryn.ducklake.observe.Logging;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "serve",
    description = "Serves a lake over Arrow Flight SQL.",
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
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
      names = "--training",
      hidden = true,
      description = "Answer a few queries of its own, and end.")
  private boolean training;

  @Mixin private ExtensionDirectory extensions = new ExtensionDirectory();

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    if (local == null) {
      throw new ParameterException(
          java.util.Objects.requireNonNull(spec).commandLine(),
          "serve needs --local: this version serves lakes in a directory of this machine");
    }
    ServerConfig config = configuration();
    Logging.configure(
        config.get(Settings.LOG_FORMAT) == Settings.LogFormat.JSON,
        config.get(Settings.LOG_LEVEL).name());
    InetSocketAddress address = address(config);
    var stopped = new CountDownLatch(1);
    var server =
        new LakeServer(
            config,
            new LakeLocation.Local(local.toAbsolutePath().normalize()),
            address,
            extensions.get());
    try (server) {
      int bound = start(server, address);
      // Before the line that tells a script that it may stop the server.
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server, stopped), "shutdown"));
      System.out.printf(
          "✓ Flight SQL server listening on grpc://%s:%d%n", hostText(address), bound);
      System.out.flush();
      if (training) {
        Training.run(bound);
        return ExitCode.DONE;
      }
      stopped.await();
    }
    return ExitCode.DONE;
  }

  private static int start(LakeServer server, InetSocketAddress address) {
    try {
      server.openLake();
      System.out.println("✓ DuckLake catalog configured");
      server.checkLake();
      System.out.println("✓ DuckLake catalog initialized successfully");
      return server.listen();
    } catch (LakeUnavailableException e) {
      throw failed(
          switch (e.kind()) {
            case PERMISSION -> ExitCode.PERMISSION;
            case DEPENDENCY -> ExitCode.DEPENDENCY;
          },
          e.getMessage());
    } catch (EngineException e) {
      throw failed(ExitCode.INTERNAL, e.text());
    } catch (IOException e) {
      throw failed(
          ExitCode.DEPENDENCY,
          "cannot listen on %s:%d: the port is in use or not allowed; take another with --port"
              .formatted(hostText(address), address.getPort()));
    }
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
      server.close();
      stopped.countDown();
      UnpackedLibraries.delete();
      // A process that ends by a signal would report the signal.
      Runtime.getRuntime().halt(ExitCode.DONE);
    }
  }

  private ServerConfig configuration() {
    Map<String, String> given = new LinkedHashMap<>();
    if (host != null) {
      given.put(Settings.FLIGHT_HOST.key(), host);
    }
    if (port != null) {
      given.put(Settings.FLIGHT_PORT.key(), port);
    }
    try {
      return ServerConfig.of(given, Optional.ofNullable(file), System.getenv());
    } catch (ConfigException e) {
      throw new CommandFailure(ExitCode.CONFIGURATION, "✗ " + String.join("\n✗ ", e.problems()));
    }
  }

  private static InetSocketAddress address(ServerConfig config) {
    String host = config.find(Settings.FLIGHT_HOST).orElse("127.0.0.1");
    InetAddress resolved;
    try {
      resolved = InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new CommandFailure(
          ExitCode.CONFIGURATION, "✗ flight_host: the host %s is not known".formatted(host));
    }
    if (!resolved.isLoopbackAddress()
        && config.find(Settings.FLIGHT_AUTH).orElse(Auth.BASIC) != Auth.NONE) {
      throw new CommandFailure(
          ExitCode.CONFIGURATION,
          "✗ flight_host %s can be reached from other machines, and no users are configured: set"
                  .formatted(host)
              + " flight_auth=none to let everyone in who reaches the port");
    }
    return new InetSocketAddress(resolved, config.get(Settings.FLIGHT_PORT));
  }

  private static String hostText(InetSocketAddress address) {
    String text = address.getAddress().getHostAddress();
    return text.contains(":") ? "[" + text + "]" : text;
  }
}
