package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.auth.TlsFiles.Contents;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.observe.Readiness;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the files of TLS while the server runs, and has new ones used. Files that cannot be used
 * change nothing: those before stay in use, and the log and {@code /readyz} say so. It reads what
 * is in the files, because Kubernetes swaps links and some tools keep a file's time.
 */
public final class TlsWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TlsWatch.class);

  /** Certificate and key are often written one after the other; for so long nothing is said. */
  private static final int LOOKS_BEFORE_WARNING = 3;

  /** Certificates that live for a day or an hour are renewed when a third of that is left. */
  private static final int MARGIN_OF_LIFETIME = 3;

  /**
   * When it acts.
   *
   * @param period of the looks
   * @param margin before the end of a certificate, from which on its end is announced
   */
  public record Timing(Duration period, Duration margin) {
    public static final Timing USUAL = new Timing(Duration.ofSeconds(5), Duration.ofDays(7));
  }

  /**
   * What is wrong.
   *
   * @param text for the log
   * @param detail for anyone, without paths
   */
  private record Trouble(String text, String detail) {}

  private final TlsFiles files;
  private final Timing timing;
  private final InstantSource clock;
  private final Readiness readiness;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("tls").daemon().factory());
  private Consumer<TlsMaterial> user = _ -> {};
  private Contents used;
  private TlsMaterial material;
  private Optional<Trouble> shown = Optional.empty();
  private int failures;

  /** Reads the files for the first time. */
  public TlsWatch(TlsFiles files, Timing timing, InstantSource clock, Readiness readiness)
      throws StartException {
    this.files = files;
    this.timing = timing;
    this.clock = clock;
    this.readiness = readiness;
    this.used = files.read();
    this.material = used.material(clock.instant());
    readiness.ok(CheckId.TLS);
    show(endOfUsed());
  }

  /** What is in use. */
  public synchronized TlsMaterial material() {
    return material;
  }

  /**
   * Begins to look.
   *
   * @param newUser told of what is to be used for new connections
   */
  public void start(Consumer<TlsMaterial> newUser) {
    synchronized (this) {
      user = newUser;
    }
    long period = timing.period.toMillis();
    var _ = thread.scheduleWithFixedDelay(this::tick, period, period, TimeUnit.MILLISECONDS);
  }

  private void tick() {
    try {
      look();
    } catch (RuntimeException e) {
      // The scheduler would never run it again.
      LOG.atError().addKeyValue("check", CheckId.TLS.id()).setCause(e).log("looking failed");
    }
  }

  /** Looks at the files once. */
  synchronized void look() {
    Optional<String> refused = renew();
    failures = refused.isPresent() ? failures + 1 : 0;
    show(
        refused.isPresent() && failures >= LOOKS_BEFORE_WARNING
            ? refused.map(this::filesAreUnusable)
            : endOfUsed());
  }

  /** Uses what is in the files if it is new, or returns why it cannot be used. */
  private Optional<String> renew() {
    try {
      Contents found = files.read();
      if (!found.equals(used)) {
        TlsMaterial renewed = found.material(clock.instant());
        user.accept(renewed);
        material = renewed;
        used = found;
        LOG.atInfo()
            .addKeyValue("check", CheckId.TLS.id())
            .log("new connections use a new certificate: {}", renewed.sentence());
      }
      return Optional.empty();
    } catch (StartException e) {
      return Optional.of(e.problem().sentence());
    }
  }

  private Trouble filesAreUnusable(String why) {
    String end = end(material.endsAt());
    return new Trouble(
        "%s. Until then the certificate before is used, which %s".formatted(why, end),
        "the files of the certificate cannot be used; the one in use " + end);
  }

  private Optional<Trouble> endOfUsed() {
    Duration margin = material.lifetime().dividedBy(MARGIN_OF_LIFETIME);
    if (margin.compareTo(timing.margin) > 0) {
      margin = timing.margin;
    }
    Instant ends = material.endsAt();
    if (clock.instant().isBefore(ends.minus(margin))) {
      return Optional.empty();
    }
    String detail = "the certificate in use " + end(ends);
    return Optional.of(
        new Trouble(detail + ": renew the file that flight_tls_certificate names", detail));
  }

  private String end(Instant instant) {
    return (clock.instant().isBefore(instant) ? "ends at " : "ended at ") + instant;
  }

  private void show(Optional<Trouble> trouble) {
    if (trouble.equals(shown)) {
      return;
    }
    shown = trouble;
    if (trouble.isPresent()) {
      readiness.warn(CheckId.TLS, trouble.get().detail);
      LOG.atWarn().addKeyValue("check", CheckId.TLS.id()).log(trouble.get().text);
    } else {
      readiness.ok(CheckId.TLS);
      LOG.atInfo().addKeyValue("check", CheckId.TLS.id()).log("the certificate is in order again");
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
