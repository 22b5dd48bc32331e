package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.app.LakeServer;
import com.lokryn.ducklake.app.Production;
import com.lokryn.ducklake.app.ProductionMetering;
import com.lokryn.ducklake.auth.Users;
import com.lokryn.ducklake.aws.AwsClients;
import com.lokryn.ducklake.aws.MarketplaceProduct;
import com.lokryn.ducklake.aws.MarketplaceRegistration;
import com.lokryn.ducklake.aws.SecretsManagerSource;
import com.lokryn.ducklake.config.ConfigException;
import com.lokryn.ducklake.config.ConfigurationReader;
import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.Settings.Auth;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.doctor.CheckResult;
import com.lokryn.ducklake.doctor.Checks;
import com.lokryn.ducklake.doctor.Doctor;
import com.lokryn.ducklake.doctor.Subject;
import com.lokryn.ducklake.observe.CheckId;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code serve} without {@code --local}. A class of its own, so that a local start loads nothing of
 * AWS's.
 */
final class ProductionServe {
  private static final int HTTP_PORT = 8080;
  private static final Logger LOG = LoggerFactory.getLogger(ProductionServe.class);

  private ProductionServe() {}

  static int run(ServeRun run) throws Exception {
    try (var clients = AwsClients.ofProcess()) {
      var reader =
          new ConfigurationReader(
              new SecretsManagerSource(clients), run.given(), run.file(), System.getenv());
      ServerConfig config = reader.read(ServeRun::printLine);
      ServeRun.configureLog(config);
      var address = ServeRun.address(config, "0.0.0.0");
      checkMachine(clients, run, config);
      // Nothing listens before it is settled that the program may be used.
      Optional<MarketplaceProduct> product = MarketplaceProduct.of(config);
      register(clients, product);
      try (var production = new Production(clients, config, reader)) {
        ServeRun.printLine("✓ S3 write test passed: " + production.checkBucket());
        return run.serve(
            config,
            new LakeServer.Service(
                production.lake(), users(config, production), production.renewal()),
            address,
            ServeRun.httpPort(config, HTTP_PORT),
            server -> {
              ProductionMetering.keep(server, clients, config, product);
              production.keep(server);
              production.keepMaintained(server, run.extensions());
            });
      }
    } catch (ConfigException e) {
      throw ServeRun.failed(e);
    } catch (StartException e) {
      throw ServeRun.failed(e);
    }
  }

  /** Without disk to spill to the server would not serve long; the rest is worth a warning. */
  private static void checkMachine(AwsClients clients, ServeRun run, ServerConfig config)
      throws StartException {
    try (var subject = Subject.of(clients, run.extensions(), config)) {
      for (CheckResult result : new Doctor(Checks.ofMachine(), subject).run(_ -> {})) {
        if (result.finding() instanceof Finding.Failed(var problem)) {
          if (result.check().id() == CheckId.SPILL) {
            throw new StartException(problem);
          }
          LOG.warn("{}: {}", result.check().id().id(), problem.sentence());
        }
      }
    }
  }

  private static void register(AwsClients clients, Optional<MarketplaceProduct> product)
      throws StartException, InterruptedException {
    if (product.isEmpty()) {
      ServeRun.printLine(
          "  AWS Marketplace metering is off: %s is not set"
              .formatted(Settings.MARKETPLACE_PRODUCT_CODE.key()));
      return;
    }
    new MarketplaceRegistration(clients, product.get()).register();
    ServeRun.printLine("✓ AWS Marketplace registration successful");
  }

  private static Users users(ServerConfig config, Production production) {
    Optional<Users> configured = ServeRun.users(config);
    if (config.find(Settings.FLIGHT_AUTH).orElse(Auth.BASIC) == Auth.NONE) {
      LOG.warn("flight_auth=none: everyone who reaches the port may do everything in the lake");
      return Users.anyone();
    }
    if (configured.isPresent()) {
      return configured.get();
    }
    LOG.warn(
        "clients log in with postgres_user and postgres_password, the same that open the catalog");
    return production.loginOfPostgres();
  }
}
