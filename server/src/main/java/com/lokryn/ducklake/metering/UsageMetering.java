package com.lokryn.ducklake.metering;

import com.lokryn.ducklake.aws.Backoff;
import com.lokryn.ducklake.aws.MarketplaceUsage;
import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.lake.LakeEngine;
import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.observe.Readiness;
import com.lokryn.ducklake.observe.Usage;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports usage while the server runs, in a thread of its own: whatever the catalog and AWS do, no
 * statement waits for it. Thread-safe.
 */
public final class UsageMetering implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(UsageMetering.class);

  /** Not the lake: asking for it asks the catalog more than is needed. */
  private static final Namespace BESIDE_THE_LAKE = new Namespace("memory", "main");

  /** How long a process may not write before others take what it has left. */
  private static final Duration SILENCE = Duration.ofMinutes(10);

  /** How long to wait for an engine that is not open. */
  private static final Duration NOT_OPEN = Duration.ofSeconds(1);

  /** How long the last record may take when the server stops; it stays in the catalog otherwise. */
  private static final Duration LAST_WAIT = Duration.ofSeconds(2);

  private static final Duration FIRST_PAUSE = Duration.ofSeconds(2);
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(2);

  private final LakeEngine engine;
  private final UsageReporter reporter;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(EngineThreads.factory("metering"));

  private UsageMetering(LakeEngine engine, UsageReporter reporter) {
    this.engine = engine;
    this.reporter = reporter;
  }

  /** Begins as soon as the engine is open. */
  public static UsageMetering start(
      LakeEngine engine,
      MarketplaceUsage marketplace,
      Meter meter,
      Usage usage,
      Readiness readiness) {
    var metering =
        new UsageMetering(
            engine,
            new UsageReporter(
                new UsageLedger(
                    () -> engine.connect(BESIDE_THE_LAKE),
                    meter,
                    Owner.ofProcess(),
                    SILENCE,
                    pid -> ProcessHandle.of(pid).isPresent()),
                marketplace,
                meter,
                () -> meter.count(usage),
                InstantSource.system(),
                UsageReporter.Timing.USUAL,
                new Backoff(FIRST_PAUSE, LONGEST_PAUSE, new SecureRandom()),
                readiness,
                usage.metering()));
    metering.after(Duration.ZERO);
    return metering;
  }

  private void after(Duration wait) {
    try {
      var _ = thread.schedule(this::step, wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The server is being closed.
    }
  }

  private void step() {
    Duration next = NOT_OPEN;
    try {
      if (engine.isReady()) {
        next = reporter.step();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    } catch (RuntimeException e) {
      sayFailed(e);
    }
    after(next);
  }

  /** A bug of ours must not end the reports. */
  private static void sayFailed(Throwable e) {
    LOG.atError()
        .addKeyValue("check", CheckId.METERING_USAGE.id())
        .setCause(e)
        .log("reporting usage failed");
  }

  /** Sends the hour that is not over; to be called when no statement runs any more. */
  @Override
  public void close() {
    try {
      var last =
          thread.submit(
              () -> {
                if (engine.isReady()) {
                  reporter.finish();
                }
                return true;
              });
      last.get(LAST_WAIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.atWarn()
          .addKeyValue("check", CheckId.METERING_USAGE.id())
          .log("the last usage could not be reported in time; it waits in the catalog");
    } catch (ExecutionException e) {
      sayFailed(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      thread.shutdownNow();
    }
  }
}
