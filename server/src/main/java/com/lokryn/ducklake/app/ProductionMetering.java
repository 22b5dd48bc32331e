package com.lokryn.ducklake.app;

import com.lokryn.ducklake.aws.AwsClients;
import com.lokryn.ducklake.aws.MarketplaceProduct;
import com.lokryn.ducklake.aws.MarketplaceUsage;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.metering.Meter;
import com.lokryn.ducklake.metering.UsageMetering;
import com.lokryn.ducklake.observe.CheckId;
import java.util.Optional;

/** What AWS Marketplace is told while a server runs, if the settings name a product. */
public final class ProductionMetering {
  private ProductionMetering() {}

  /**
   * Has a server report its usage until it is closed. To be called before others that want
   * something done at its end, since this is bounded.
   *
   * @param clients closed by the caller, after the server
   * @param product one that this start is registered for
   */
  public static void keep(
      LakeServer server,
      AwsClients clients,
      ServerConfig config,
      Optional<MarketplaceProduct> product) {
    if (product.isEmpty()) {
      return;
    }
    server.readiness().ok(CheckId.METERING_REGISTER);
    Meter.of(config)
        .map(
            meter ->
                UsageMetering.start(
                    server.engine(),
                    new MarketplaceUsage(clients, product.get()),
                    meter,
                    server.numbers().usage(),
                    server.readiness()))
        // After the last statement has ended, and before the engine is closed.
        .ifPresent(metering -> server.probes().atEnd(metering::close));
  }
}
