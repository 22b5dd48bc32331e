package com.lokryn.ducklake.app;

import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.observe.Readiness;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tries one thing that the server needs again and again, and says so in its condition.
 *
 * <p>One failure may be a hiccup. The condition turns with the second one in a row, or when it has
 * been failing for {@link #PATIENCE} since the first failed attempt began; it is well again with
 * the first attempt that succeeds in time. With the usual timing that is at most 4 s after an
 * outage that refuses, and 8 s after one that answers nothing.
 *
 * <p>An attempt that does not end in time has failed. No other one is begun beside it: when it ends
 * at last, whatever its end, it is tried again at once. Thread-safe.
 */
final class Probe {
  private static final Logger LOG = LoggerFactory.getLogger(Probe.class);

  /** How long a failure may last that is not told to anyone. */
  static final Duration PATIENCE = Duration.ofSeconds(4);

  /** Tries it, in a thread of its own. */
  interface Attempt {
    /**
     * Returns when it works.
     *
     * @throws ProbeException when it does not
     */
    void run() throws ProbeException;
  }

  /**
   * How often it is tried.
   *
   * @param every the time from one that succeeded to the next one
   * @param again the time from one that failed to the next one
   * @param timeout how long one may take
   */
  record Timing(Duration every, Duration again, Duration timeout) {
    static final Timing USUAL =
        new Timing(Duration.ofSeconds(3), Duration.ofSeconds(1), Duration.ofSeconds(5));
  }

  private final List<CheckId> checks;
  private final Attempt attempt;
  private final Timing timing;
  private final Executor executor;
  private final Readiness readiness;
  private final LongSupplier nanos;
  private final CountDownLatch first = new CountDownLatch(1);

  // Guarded by this.
  private boolean running;
  private boolean overdue;
  private long began;
  private long next;
  private int failures;
  private long failingSince;
  private ProbeException failure = new ProbeException("it was not tried yet", "");
  private boolean turned;

  /**
   * @param checks what an attempt looks at; one that fails may say which of them it was
   * @param executor runs one attempt at a time, never in the thread that asks for it
   * @param nanos a clock that is never set, as {@link System#nanoTime}
   */
  Probe(
      List<CheckId> checks,
      Attempt attempt,
      Timing timing,
      Executor executor,
      Readiness readiness,
      LongSupplier nanos) {
    this.checks = List.copyOf(checks);
    this.attempt = attempt;
    this.timing = timing;
    this.executor = executor;
    this.readiness = readiness;
    this.nanos = nanos;
    this.next = nanos.getAsLong();
    checks.forEach(check -> readiness.notOk(check, failure.detail()));
  }

  /** Begins an attempt if it is time for one, and looks at the time of one that runs. */
  synchronized void tick() {
    long now = nanos.getAsLong();
    if (running && !overdue && now - began >= timing.timeout.toNanos()) {
      overdue = true;
      failed(
          new ProbeException(
              "no answer within %d ms".formatted(timing.timeout.toMillis()), "it is waited for"));
    }
    if (!running && now - next >= 0) {
      begin(now);
    }
    turnIfItLasts(now);
  }

  /** Done when the first attempt has succeeded, failed or taken too long. */
  CountDownLatch first() {
    return first;
  }

  private void begin(long now) {
    running = true;
    overdue = false;
    began = now;
    try {
      executor.execute(this::attempt);
    } catch (RejectedExecutionException e) {
      // The server is being closed.
      running = false;
    }
  }

  private void attempt() {
    try {
      attempt.run();
      ended(null);
    } catch (ProbeException e) {
      ended(e);
    } catch (RuntimeException e) {
      ended(new ProbeException("it cannot be tried", String.valueOf(e)));
    }
  }

  private synchronized void ended(@Nullable ProbeException problem) {
    running = false;
    long now = nanos.getAsLong();
    if (overdue) {
      // It has been counted already. What hung on an old connection may work on a new one.
      next = now;
    } else if (problem == null) {
      next = now + timing.every.toNanos();
      succeeded();
    } else {
      next = now + timing.again.toNanos();
      failed(problem);
      turnIfItLasts(now);
    }
  }

  private void succeeded() {
    failures = 0;
    if (turned) {
      LOG.info("{} is ready again", names(checks));
    }
    turned = false;
    checks.forEach(readiness::ok);
    first.countDown();
  }

  private void failed(ProbeException problem) {
    if (failures++ == 0) {
      failingSince = began;
    }
    failure = problem;
    first.countDown();
  }

  private void turnIfItLasts(long now) {
    if (failures >= 2 || (failures == 1 && now - failingSince >= PATIENCE.toNanos())) {
      // An attempt that hangs does not say where.
      List<CheckId> failing = failure.check().map(List::of).orElse(checks);
      if (!turned) {
        LOG.warn("{} is not ready: {}: {}", names(failing), failure.detail(), failure.text());
      }
      turned = true;
      failing.forEach(check -> readiness.notOk(check, failure.detail()));
    }
  }

  private static String names(List<CheckId> checks) {
    return checks.stream().map(CheckId::id).collect(Collectors.joining(", "));
  }
}
