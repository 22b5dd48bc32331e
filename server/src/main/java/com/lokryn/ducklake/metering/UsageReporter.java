package com.lokryn.ducklake.metering;

import com.lokryn.ducklake.aws.Backoff;
import com.lokryn.ducklake.aws.MarketplaceUsage;
import com.lokryn.ducklake.aws.MarketplaceUsage.Accepted;
import com.lokryn.ducklake.aws.MarketplaceUsage.Refused;
import com.lokryn.ducklake.aws.MarketplaceUsage.Taken;
import com.lokryn.ducklake.aws.MarketplaceUsage.TooOld;
import com.lokryn.ducklake.aws.MarketplaceUsage.Unavailable;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.observe.Counts;
import com.lokryn.ducklake.observe.MeteringResult;
import com.lokryn.ducklake.observe.Readiness;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Brings what is counted into the ledger, and the ledger's records to AWS Marketplace, step by
 * step. Nothing that fails loses anything: it is said once, and tried again. Used by one thread.
 */
final class UsageReporter {
  private static final Logger LOG = LoggerFactory.getLogger(UsageReporter.class);

  /**
   * How often things are done.
   *
   * @param write how long counts are in memory only
   * @param again how long to wait when the catalog does not take them
   * @param refused how long to wait when AWS refuses records
   */
  record Timing(Duration write, Duration again, Duration refused) {
    static final Timing USUAL =
        new Timing(Duration.ofMinutes(1), Duration.ofSeconds(10), Duration.ofMinutes(5));
  }

  /** What keeps records from being taken; said once. */
  private enum Trouble {
    NONE("ok"),
    LEDGER("usage cannot be written to the catalog, and is kept in memory"),
    UNAVAILABLE("AWS Marketplace does not take usage records at the moment; they are kept"),
    REFUSED("AWS Marketplace refuses usage records, which are kept; the log says why");

    private final String detail;

    Trouble(String detail) {
      this.detail = detail;
    }
  }

  private final UsageLedger ledger;
  private final MarketplaceUsage usage;
  private final Meter meter;
  private final LongSupplier counter;
  private final InstantSource clock;
  private final Timing timing;
  private final Backoff backoff;
  private final Readiness readiness;
  private final Counts<MeteringResult> use;

  private Trouble trouble = Trouble.NONE;
  private Instant sendAgain = Instant.MIN;
  private int failures;

  /**
   * @param counter what was counted since the process started, in the meter's parts
   * @param backoff between records that the service does not take for now
   * @param use where it is counted what became of records
   */
  UsageReporter(
      UsageLedger ledger,
      MarketplaceUsage usage,
      Meter meter,
      LongSupplier counter,
      InstantSource clock,
      Timing timing,
      Backoff backoff,
      Readiness readiness,
      Counts<MeteringResult> use) {
    this.use = use;
    this.ledger = ledger;
    this.usage = usage;
    this.meter = meter;
    this.counter = counter;
    this.clock = clock;
    this.timing = timing;
    this.backoff = backoff;
    this.readiness = readiness;
  }

  /**
   * Does what is due.
   *
   * @return how long until the next step
   */
  Duration step() throws InterruptedException {
    try {
      ledger.account(counter.getAsLong(), clock.instant(), false);
      adopt();
      if (!clock.instant().isBefore(sendAgain)) {
        send();
      } else {
        // Of the ledger, it works again; of AWS nothing new is known.
        set(failures > 0 ? Trouble.UNAVAILABLE : Trouble.REFUSED, "");
      }
      return untilNext();
    } catch (EngineException e) {
      set(Trouble.LEDGER, e.text());
      return timing.again;
    }
  }

  /** Sends the hour that is not over, once; to be called when nothing is counted any more. */
  void finish() throws InterruptedException {
    try {
      // A process that ran for moments only has not taken over yet what was left here before.
      adopt();
      ledger.account(counter.getAsLong(), clock.instant(), true);
      send();
      if (ledger.due().isEmpty()) {
        ledger.release(clock.instant());
      }
    } catch (EngineException e) {
      set(Trouble.LEDGER, e.text());
    }
  }

  private void adopt() throws EngineException {
    for (UsageRow dropped : ledger.adopt(clock.instant())) {
      sayDropped(dropped);
    }
  }

  private Duration untilNext() {
    Instant now = clock.instant();
    Instant hour = now.truncatedTo(ChronoUnit.HOURS).plus(1, ChronoUnit.HOURS);
    Instant next = earliest(now.plus(timing.write), hour);
    return Duration.between(now, sendAgain.isAfter(now) ? earliest(next, sendAgain) : next);
  }

  private static Instant earliest(Instant a, Instant b) {
    return a.isBefore(b) ? a : b;
  }

  /** Sends all records there are, until one is not taken. */
  private void send() throws EngineException, InterruptedException {
    for (UsageRow record : ledger.due()) {
      if (!settled(record)) {
        return;
      }
    }
    failures = 0;
    sendAgain = Instant.MIN;
    set(Trouble.NONE, "");
  }

  /** Sends a record; false when it has to be sent again. */
  private boolean settled(UsageRow record) throws EngineException, InterruptedException {
    if (record.isOlderThan(UsageLedger.MAX_AGE, clock.instant())) {
      tooOld(record, "it could not be sent for %d hours".formatted(UsageLedger.MAX_AGE.toHours()));
      return true;
    }
    if (!ledger.begin(record)) {
      return true;
    }
    return switch (usage.send(meter.dimension(), record.hour(), record.units())) {
      case Accepted(String recordId) -> {
        use.add(MeteringResult.ACCEPTED);
        ledger.accepted(record, recordId, clock.instant());
        log(LOG.atInfo(), record).log("usage was reported to AWS Marketplace");
        yield true;
      }
      case Taken() -> {
        use.add(MeteringResult.TAKEN);
        ledger.taken(record, clock.instant());
        log(LOG.atInfo(), record)
            .log("AWS Marketplace has another record of this hour: the usage goes to the next one");
        yield true;
      }
      case TooOld(String text) -> {
        use.add(MeteringResult.TOO_OLD);
        tooOld(record, text);
        yield true;
      }
      case Unavailable(boolean mayBeRecorded, String text) -> {
        use.add(MeteringResult.UNAVAILABLE);
        if (!mayBeRecorded) {
          noteNotRecorded(record);
        }
        sendAgain = clock.instant().plus(backoff.after(++failures));
        set(Trouble.UNAVAILABLE, text);
        yield false;
      }
      case Refused(var problem) -> {
        use.add(MeteringResult.REFUSED);
        noteNotRecorded(record);
        failures = 0;
        sendAgain = clock.instant().plus(timing.refused);
        set(Trouble.REFUSED, problem.sentence());
        yield false;
      }
    };
  }

  /** What was in doubt before this attempt stays so. */
  private void noteNotRecorded(UsageRow record) throws EngineException {
    if (!record.isInDoubt()) {
      ledger.notRecorded(record);
    }
  }

  /** To add to the present hour what may be recorded already could bill it twice. */
  private void tooOld(UsageRow record, String why) throws EngineException {
    if (record.isInDoubt()) {
      ledger.drop(record);
      sayDropped(record);
    } else {
      ledger.carry(record, clock.instant());
      log(LOG.atWarn(), record)
          .log(
              "AWS Marketplace takes no record of this hour any more: the usage goes to the present one: {}",
              why);
    }
  }

  private void sayDropped(UsageRow record) {
    log(LOG.atWarn(), record)
        .log(
            "a usage record was sent, no answer came, and it can no longer be sent again: it may be"
                + " missing from AWS's bill, and is dropped, since it must not be on it twice");
  }

  private LoggingEventBuilder log(LoggingEventBuilder event, UsageRow record) {
    return event
        .addKeyValue("check", CheckId.METERING_USAGE.id())
        .addKeyValue("dimension", meter.dimension())
        .addKeyValue("hour", record.hour())
        .addKeyValue("quantity", record.units());
  }

  private void set(Trouble now, String text) {
    if (now != trouble) {
      if (now == Trouble.NONE) {
        LOG.atInfo()
            .addKeyValue("check", CheckId.METERING_USAGE.id())
            .log("usage can be reported again");
      } else if (!text.isEmpty()) {
        LOG.atWarn()
            .addKeyValue("check", CheckId.METERING_USAGE.id())
            .log("{}: {}", now.detail, text);
      }
    }
    trouble = now;
    if (now == Trouble.NONE) {
      readiness.ok(CheckId.METERING_USAGE);
    } else {
      readiness.warn(CheckId.METERING_USAGE, now.detail);
    }
  }
}
