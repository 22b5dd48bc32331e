package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.aws.RegistrationSignature.UntrustedException;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.observe.CheckId;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.marketplacemetering.model.RegisterUsageResponse;

/**
 * Registers this start of the program with AWS Marketplace, in the region that it runs in, which
 * proves that the account may use it. AWS meters the hours itself from then on.
 */
public final class MarketplaceRegistration {
  private static final Logger LOG = LoggerFactory.getLogger(MarketplaceRegistration.class);

  /** No product has it: AWS refuses it when it has looked at all that comes before. */
  private static final int IMPOSSIBLE_KEY_VERSION = Integer.MAX_VALUE;

  private static final Duration TRY_OUT_TIMEOUT = Duration.ofSeconds(5);

  /** What waits between two attempts. */
  @FunctionalInterface
  interface Pause {
    void last(Duration duration) throws InterruptedException;
  }

  /**
   * How long a service is tried that does not work or has too much to do.
   *
   * @param attempt how long one answer may take
   * @param all how long after the first attempt the last one may begin
   */
  record Patience(Duration attempt, Backoff backoff, Duration all) {
    static Patience usual(RandomGenerator random) {
      return new Patience(
          Duration.ofSeconds(10),
          new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(10), random),
          Duration.ofSeconds(60));
    }
  }

  private final AwsClients clients;
  private final MarketplaceProduct product;
  private final Patience patience;
  private final InstantSource clock;
  private final Pause pause;

  public MarketplaceRegistration(AwsClients clients, MarketplaceProduct product) {
    this(
        clients,
        product,
        Patience.usual(new SecureRandom()),
        InstantSource.system(),
        // Nobody counts it down.
        duration -> new CountDownLatch(1).await(duration.toMillis(), TimeUnit.MILLISECONDS));
  }

  MarketplaceRegistration(
      AwsClients clients,
      MarketplaceProduct product,
      Patience patience,
      InstantSource clock,
      Pause pause) {
    this.clients = clients;
    this.product = product;
    this.patience = patience;
    this.clock = clock;
    this.pause = pause;
  }

  /**
   * Registers; to be done once for each start. It takes a minute or so where AWS does not answer.
   *
   * @throws StartException when the program may not be used, or that is not proven
   */
  public void register() throws StartException, InterruptedException {
    Region region = ownRegion().orElseThrow(() -> failed(Metering.REGISTER.regionUnknown()));
    String nonce = UUID.randomUUID().toString();
    RegisterUsageResponse answer = askUntilAnswered(region, nonce);
    if (answer.publicKeyRotationTimestamp() != null) {
      LOG.atWarn()
          .addKeyValue("check", CheckId.METERING_REGISTER.id())
          .log(
              "the product's public key has had a newer version since {}: set {} and {} to it",
              answer.publicKeyRotationTimestamp(),
              Settings.MARKETPLACE_PUBLIC_KEY_VERSION.key(),
              Settings.MARKETPLACE_PUBLIC_KEY.key());
    }
    verify(answer, nonce);
  }

  /**
   * Tries whether the program could register, without doing it: RegisterUsage knows no dry run, so
   * it is asked with a version of the public key that cannot be. Asks once.
   *
   * @return what is wrong, if something is
   */
  public Optional<StartProblem> tryOut() throws InterruptedException {
    Optional<Region> region = ownRegion();
    if (region.isEmpty()) {
      return Optional.of(Metering.REGISTER.regionUnknown());
    }
    try {
      var _ =
          ask(region.get(), IMPOSSIBLE_KEY_VERSION, UUID.randomUUID().toString(), TRY_OUT_TIMEOUT);
      return Optional.empty();
    } catch (SdkException e) {
      return AwsErrors.code(e).equals("InvalidPublicKeyVersionException")
          ? Optional.empty()
          : Optional.of(Metering.REGISTER.problem(e, region.get().id()));
    }
  }

  private Optional<Region> ownRegion() {
    return clients.ownRegion().map(Region::of);
  }

  private RegisterUsageResponse askUntilAnswered(Region region, String nonce)
      throws StartException, InterruptedException {
    Instant end = clock.instant().plus(patience.all);
    for (int failures = 1; ; failures++) {
      try {
        return ask(region, product.keyVersion(), nonce, patience.attempt);
      } catch (SdkException e) {
        Duration wait = patience.backoff.after(failures);
        if (!Metering.isPassing(e) || clock.instant().plus(wait).isAfter(end)) {
          LOG.debug("AWS Marketplace", e);
          throw failed(Metering.REGISTER.problem(e, region.id()));
        }
        LOG.atWarn()
            .addKeyValue("check", CheckId.METERING_REGISTER.id())
            .log(
                "AWS Marketplace does not register the start yet, and is asked again in {} ms: {}",
                wait.toMillis(),
                AwsErrors.text(e));
        pause.last(wait);
      }
    }
  }

  private RegisterUsageResponse ask(Region region, int keyVersion, String nonce, Duration timeout)
      throws InterruptedException {
    return TimedCall.run(
        "marketplace-registration",
        timeout,
        () -> {
          try (var metering = clients.marketplaceMetering(region, timeout)) {
            return metering.registerUsage(
                request ->
                    request.productCode(product.code()).publicKeyVersion(keyVersion).nonce(nonce));
          }
        });
  }

  private void verify(RegisterUsageResponse answer, String nonce) throws StartException {
    if (product.key().isEmpty()) {
      LOG.atWarn()
          .addKeyValue("check", CheckId.METERING_REGISTER.id())
          .log(
              "the answer of AWS Marketplace is not verified: {} is not set",
              Settings.MARKETPLACE_PUBLIC_KEY.key());
      return;
    }
    try {
      RegistrationSignature.verify(
          Optional.ofNullable(answer.signature()).orElse(""),
          product.key().get(),
          product.code(),
          product.keyVersion(),
          nonce);
    } catch (UntrustedException e) {
      throw failed(
          new StartProblem(
              Kind.DEPENDENCY,
              "AWS Marketplace registration failed: the answer is not to be trusted: "
                  + e.getMessage(),
              "set %s and %s to the product's key and its version, as the seller's portal shows"
                      .formatted(
                          Settings.MARKETPLACE_PUBLIC_KEY.key(),
                          Settings.MARKETPLACE_PUBLIC_KEY_VERSION.key())
                  + " them, and see what stands between the server and AWS"));
    }
  }

  private static StartException failed(StartProblem problem) {
    return new StartException(problem);
  }
}
