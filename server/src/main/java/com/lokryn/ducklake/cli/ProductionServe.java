package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.app.LakeServer;
import com.lokryn.ducklake.app.Production;
import com.lokryn.ducklake.app.ProductionMetering;
import com.lokryn.ducklake.aws.AwsClients;
import com.lokryn.ducklake.aws.MarketplaceProduct;
import com.lokryn.ducklake.aws.MarketplaceRegistration;
import com.lokryn.ducklake.aws.SecretsManagerSource;
import com.lokryn.ducklake.config.Cascade;
import com.lokryn.ducklake.config.ConfigException;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.Settings.Auth;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.query.Users;
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
      ServerConfig config =
          new Cascade(new SecretsManagerSource(clients), System.getenv(), ServeRun::printLine)
              .read(run.given(), run.file());
      ServeRun.configureLog(config);
      var address = ServeRun.address(config, "0.0.0.0");
      // Nothing listens before it is settled that the program may be used.
      Optional<MarketplaceProduct> product = MarketplaceProduct.of(config);
      register(clients, product);
      try (var production = new Production(clients, config)) {
        ServeRun.printLine("✓ S3 write test passed: " + production.checkBucket());
        return run.serve(
            config,
            new LakeServer.Service(production.lake(), users(config), production.renewal()),
            address,
            ServeRun.httpPort(config, HTTP_PORT),
            server -> {
              ProductionMetering.keep(server, clients, config, product);
              production.keep(server);
            });
      }
    } catch (ConfigException e) {
      throw ServeRun.failed(e);
    } catch (StartException e) {
      throw ServeRun.failed(e);
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

  private static Users users(ServerConfig config) {
    if (config.find(Settings.FLIGHT_AUTH).orElse(Auth.BASIC) == Auth.NONE) {
      LOG.warn("flight_auth=none: everyone who reaches the port may do everything in the lake");
      return Users.anyone();
    }
    LOG.warn(
        "clients log in with postgres_user and postgres_password, the same that open the catalog");
    return Users.one(config.get(Settings.POSTGRES_USER), config.get(Settings.POSTGRES_PASSWORD));
  }
}
