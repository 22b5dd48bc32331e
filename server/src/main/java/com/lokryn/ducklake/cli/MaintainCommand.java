package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.app.LakeMaintenance;
import com.lokryn.ducklake.config.ConfigException;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.engine.Extensions;
import com.lokryn.ducklake.lake.LocalLake;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "maintain",
    description =
        "Maintains the lake of this configuration once: merges small files, expires old snapshots,"
            + " deletes files that nobody needs any more, and says what it did.",
    mixinStandardHelpOptions = true)
final class MaintainCommand implements Callable<Integer> {
  @Option(
      names = "--local",
      arity = "0..1",
      fallbackValue = "./lake",
      paramLabel = "DIR",
      description = "A lake in a directory that no server has open; ./lake where none is given.")
  private @Nullable Path local;

  @Option(names = "--dry-run", description = "Say what a pass would do, and change nothing.")
  private boolean dryRun;

  @Option(
      names = "--retention",
      paramLabel = "D",
      description =
          "How far back the lake can be queried, 12h or 7d for instance; instead of"
              + " snapshot_retention.")
  private @Nullable String retention;

  @Mixin private ConfigurationOptions configuration = new ConfigurationOptions();
  @Mixin private ExtensionDirectory extensions = new ExtensionDirectory();

  @Override
  public Integer call() throws Exception {
    ServeRun.configureLog(System.getenv());
    return local == null
        ? ProductionMaintain.run(given(), configuration.file(), extensions.get(), dryRun)
        : maintainLocal(local);
  }

  private int maintainLocal(Path directory) throws Exception {
    ServerConfig config;
    try {
      config = ServerConfig.of(given(), configuration.file(), System.getenv());
    } catch (ConfigException e) {
      throw ServeRun.failed(e);
    }
    ServeRun.configureLog(config);
    var lake = new LocalLake(directory.toAbsolutePath().normalize());
    Extensions installed = extensions.get();
    try (var maintenance = LakeMaintenance.alone(config, () -> lake, installed)) {
      if (!lake.exists()) {
        throw new StartException(
            new StartProblem(
                Kind.DEPENDENCY,
                "there is no lake in " + lake.directory(),
                "name its directory with --local=DIR"));
      }
      return MaintainReport.of(maintenance, config, dryRun);
    } catch (StartException e) {
      throw ServeRun.failed(e);
    }
  }

  /** What the command line sets, by key. */
  private Map<String, String> given() {
    Map<String, String> given = new LinkedHashMap<>(configuration.given());
    if (retention != null) {
      given.put(Settings.SNAPSHOT_RETENTION.key(), retention);
    }
    return given;
  }
}
