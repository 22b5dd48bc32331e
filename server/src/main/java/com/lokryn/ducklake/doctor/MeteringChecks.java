package com.lokryn.ducklake.doctor;

import com.lokryn.ducklake.aws.MarketplaceProduct;
import com.lokryn.ducklake.aws.MarketplaceRegistration;
import com.lokryn.ducklake.aws.MarketplaceUsage;
import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.Finding.Failed;
import com.lokryn.ducklake.config.Finding.Passed;
import com.lokryn.ducklake.config.Finding.Unneeded;
import com.lokryn.ducklake.config.Finding.Untried;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartProblem;
import java.util.Optional;

/** What AWS Marketplace would say, without a registration and without a record of usage. */
final class MeteringChecks {
  private MeteringChecks() {}

  private interface TryOut {
    Optional<StartProblem> run() throws InterruptedException;
  }

  static Finding register(Subject subject) {
    return MarketplaceProduct.of(subject.config())
        .map(
            product ->
                tried(
                    new MarketplaceRegistration(subject.clients(), product)::tryOut,
                    "registering is allowed; the subscription and the key's version only a start"
                        + " can tell"))
        .orElseGet(() -> new Unneeded(Settings.MARKETPLACE_PRODUCT_CODE.key() + " is not set"));
  }

  static Finding usage(Subject subject) {
    Optional<MarketplaceProduct> product = MarketplaceProduct.of(subject.config());
    Optional<String> dimension = subject.config().find(Settings.MARKETPLACE_USAGE_DIMENSION);
    if (product.isEmpty() || dimension.isEmpty()) {
      return new Unneeded(Settings.MARKETPLACE_USAGE_DIMENSION.key() + " is not set");
    }
    var usage = new MarketplaceUsage(subject.clients(), product.get());
    return tried(() -> usage.tryOut(dimension.get()), "a dry run: " + dimension.get());
  }

  private static Finding tried(TryOut tryOut, String passed) {
    try {
      return tryOut.run().<Finding>map(Failed::new).orElseGet(() -> new Passed(passed));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Untried("it was interrupted");
    }
  }
}
