package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.app.Production;
import com.lokryn.ducklake.aws.AwsClients;
import com.lokryn.ducklake.aws.SecretsManagerSource;
import com.lokryn.ducklake.config.ConfigException;
import com.lokryn.ducklake.config.ConfigurationReader;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.engine.Extensions;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** {@code maintain} without {@code --local}, which loads nothing of AWS's. */
final class ProductionMaintain {
  private ProductionMaintain() {}

  static int run(
      Map<String, String> given, Optional<Path> file, Extensions extensions, boolean dryRun)
      throws Exception {
    try (var clients = AwsClients.ofProcess()) {
      var reader =
          new ConfigurationReader(new SecretsManagerSource(clients), given, file, System.getenv());
      ServerConfig config = reader.read(ServeRun::printLine);
      ServeRun.configureLog(config);
      try (var production = new Production(clients, config, reader);
          var maintenance = production.maintenance(extensions)) {
        return MaintainReport.of(maintenance, config, dryRun);
      }
    } catch (ConfigException e) {
      throw ServeRun.failed(e);
    } catch (StartException e) {
      throw ServeRun.failed(e);
    }
  }
}
