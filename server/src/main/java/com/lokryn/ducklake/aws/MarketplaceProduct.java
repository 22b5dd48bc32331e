package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import java.security.interfaces.RSAPublicKey;
import java.util.Optional;

/**
 * A product on AWS Marketplace.
 *
 * @param code what AWS knows it by
 * @param keyVersion which of the product's keys signs the answers
 * @param key its public part; without it the answers are not verified
 */
public record MarketplaceProduct(String code, int keyVersion, Optional<RSAPublicKey> key) {
  /** The product that the settings name; empty where there is none, and metering is off. */
  public static Optional<MarketplaceProduct> of(ServerConfig config) {
    return config
        .find(Settings.MARKETPLACE_PRODUCT_CODE)
        .map(
            code ->
                new MarketplaceProduct(
                    code,
                    config.get(Settings.MARKETPLACE_PUBLIC_KEY_VERSION),
                    config.find(Settings.MARKETPLACE_PUBLIC_KEY)));
  }
}
