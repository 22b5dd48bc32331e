package com.lokryn.ducklake.metering;

import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.Settings.UsageUnit;
import com.lokryn.ducklake.observe.Usage;
import java.util.Optional;

/**
 * What is counted, and for what it is paid.
 *
 * @param product the product's code
 * @param dimension the product's dimension that is reported
 * @param unit what one of the dimension is
 */
public record Meter(String product, String dimension, UsageUnit unit) {
  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final long BYTES_PER_GIB = 1L << 30;

  /** The meter that the settings ask for, if they do. */
  public static Optional<Meter> of(ServerConfig config) {
    return config
        .find(Settings.MARKETPLACE_USAGE_DIMENSION)
        .map(
            dimension ->
                new Meter(
                    config.get(Settings.MARKETPLACE_PRODUCT_CODE),
                    dimension,
                    config.get(Settings.MARKETPLACE_USAGE_UNIT)));
  }

  /** How many of the parts that are counted, nanoseconds or bytes, make one unit. */
  long partsPerUnit() {
    return switch (unit) {
      case QUERY_SECONDS -> NANOS_PER_SECOND;
      case GIB_STREAMED -> BYTES_PER_GIB;
    };
  }

  /** The parts that were counted since the process started. */
  long count(Usage usage) {
    return switch (unit) {
      case QUERY_SECONDS -> usage.workNanos();
      case GIB_STREAMED -> usage.sentBytes();
    };
  }
}
