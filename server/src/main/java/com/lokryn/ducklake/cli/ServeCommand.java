package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.app.LakeServer.Service;
import com.lokryn.ducklake.auth.Users;
import com.lokryn.ducklake.config.ConfigException;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.Settings.Auth;
import com.lokryn.ducklake.lake.LocalLake;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

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

  @Option(
      names = "--training",
      hidden = true,
      description = "Answer a few queries of its own, and end.")
  private boolean training;

  @Mixin private ConfigurationOptions configuration = new ConfigurationOptions();
  @Mixin private ExtensionDirectory extensions = new ExtensionDirectory();

  @Override
  public Integer call() throws Exception {
    ServeRun.configureLog(System.getenv());
    var run = new ServeRun(given(), configuration.file(), extensions.get(), training);
    return local == null ? ProductionServe.run(run) : serveLocal(local, run);
  }

  private static int serveLocal(Path directory, ServeRun run) throws Exception {
    ServerConfig config;
    try {
      config = ServerConfig.of(run.given(), run.file(), System.getenv());
    } catch (ConfigException e) {
      throw ServeRun.failed(e);
    }
    ServeRun.configureLog(config);
    InetSocketAddress address = ServeRun.address(config, "127.0.0.1");
    var lake = new LocalLake(directory.toAbsolutePath().normalize());
    return run.serve(
        config,
        Service.of(lake, users(config, address)),
        address,
        ServeRun.httpPort(config, ServeRun.NO_HTTP),
        _ -> {});
  }

  private static Users users(ServerConfig config, InetSocketAddress address) {
    Optional<Users> configured = ServeRun.users(config);
    // On this machine alone a password protects nothing; where users are set it is wanted.
    boolean isOpen = address.getAddress().isLoopbackAddress() && configured.isEmpty();
    if (config.find(Settings.FLIGHT_AUTH).orElse(isOpen ? Auth.NONE : Auth.BASIC) == Auth.NONE) {
      return Users.anyone();
    }
    return configured.orElseThrow(
        () ->
            ServeRun.failed(
                ExitCode.CONFIGURATION,
                "no users are configured for %s: set flight_users, or flight_auth=none to let"
                        .formatted(ServeRun.hostText(address))
                    + " everyone in who reaches the port"));
  }

  /** What the command line sets, by key. */
  private Map<String, String> given() {
    Map<String, String> given = new LinkedHashMap<>(configuration.given());
    if (host != null) {
      given.put(Settings.FLIGHT_HOST.key(), host);
    }
    if (port != null) {
      given.put(Settings.FLIGHT_PORT.key(), port);
    }
    return given;
  }
}
