package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.config.StartProblem;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.regions.Region;

/**
 * Reports usage of a product's dimension to AWS Marketplace, in the region that the process runs
 * in. AWS keeps one record for a task, dimension and hour; the same one may be sent again, and
 * counts once. Thread-safe.
 */
public final class MarketplaceUsage {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final Duration TRY_OUT_TIMEOUT = Duration.ofSeconds(5);

  private final AwsClients clients;
  private final MarketplaceProduct product;
  private final Duration timeout;
  private final InstantSource clock = InstantSource.system();

  /** What became of a record. */
  public sealed interface Answer {}

  /** It is recorded, now or when it was sent before. */
  public record Accepted(String recordId) implements Answer {}

  /** The hour has a record with another quantity; this one is not recorded. */
  public record Taken() implements Answer {}

  /** The hour is too long ago; this one is not recorded. */
  public record TooOld(String text) implements Answer {}

  /**
   * The service does not work, or cannot be reached, or has too much to do.
   *
   * @param mayBeRecorded false where the record has certainly not been taken
   * @param text what the service says, or what kept it from being reached
   */
  public record Unavailable(boolean mayBeRecorded, String text) implements Answer {}

  /** The record is refused until somebody does something; it is not recorded. */
  public record Refused(StartProblem problem) implements Answer {}

  public MarketplaceUsage(AwsClients clients, MarketplaceProduct product) {
    this(clients, product, TIMEOUT);
  }

  MarketplaceUsage(AwsClients clients, MarketplaceProduct product, Duration timeout) {
    this.clients = clients;
    this.product = product;
    this.timeout = timeout;
  }

  /**
   * Sends a record, once.
   *
   * @param hour its beginning
   */
  public Answer send(String dimension, Instant hour, int quantity) throws InterruptedException {
    Optional<Region> region = clients.ownRegion().map(Region::of);
    if (region.isEmpty()) {
      return new Refused(Metering.METER.regionUnknown());
    }
    try {
      return new Accepted(ask(region.get(), dimension, hour, quantity, false, timeout));
    } catch (SdkException e) {
      return switch (AwsErrors.code(e)) {
        case "DuplicateRequestException" -> new Taken();
        case "TimestampOutOfBoundsException" -> new TooOld(AwsErrors.text(e));
        default ->
            Metering.isPassing(e)
                ? new Unavailable(mayBeRecorded(e), AwsErrors.text(e))
                : new Refused(Metering.METER.problem(e, region.get().id()));
      };
    }
  }

  /**
   * Tries whether usage could be reported, without doing it. Asks once.
   *
   * @return what is wrong, if something is
   */
  public Optional<StartProblem> tryOut(String dimension) throws InterruptedException {
    Optional<Region> region = clients.ownRegion().map(Region::of);
    if (region.isEmpty()) {
      return Optional.of(Metering.METER.regionUnknown());
    }
    try {
      var _ = ask(region.get(), dimension, clock.instant(), 0, true, TRY_OUT_TIMEOUT);
      return Optional.empty();
    } catch (SdkException e) {
      // The service's model spells it so; other services of AWS's end such codes with Exception.
      return AwsErrors.code(e).startsWith("DryRunOperation")
          ? Optional.empty()
          : Optional.of(Metering.METER.problem(e, region.get().id()));
    }
  }

  private String ask(
      Region region, String dimension, Instant hour, int quantity, boolean dryRun, Duration limit)
      throws InterruptedException {
    return TimedCall.run(
        "marketplace-usage",
        limit,
        () -> {
          try (var metering = clients.marketplaceMetering(region, limit)) {
            return metering
                .meterUsage(
                    request ->
                        request
                            .productCode(product.code())
                            .usageDimension(dimension)
                            .timestamp(hour)
                            .usageQuantity(quantity)
                            .dryRun(dryRun))
                .meteringRecordId();
          }
        });
  }

  /** False where the request has not left, or was turned away at the door. */
  private static boolean mayBeRecorded(SdkException e) {
    if (e instanceof SdkServiceException service) {
      return !service.isThrottlingException();
    }
    return switch (AwsErrors.root(e)) {
      case ConnectException _, UnknownHostException _, NoRouteToHostException _ -> false;
      case SocketTimeoutException timeout ->
          !String.valueOf(timeout.getMessage()).startsWith("Connect");
      default -> true;
    };
  }
}
