package com.lokryn.ducklake.app;

import com.lokryn.ducklake.app.Probe.Attempt;
import com.lokryn.ducklake.app.Probe.Timing;
import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.observe.Readiness;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All probes of a server, and their threads. A local server has none. */
final class Probes implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Probes.class);
  private static final long TICK_MS = 200;

  private final Readiness readiness;
  private final List<Probe> probes = new ArrayList<>();
  private final List<ExecutorService> threads = new ArrayList<>();
  private final List<Runnable> endings = new ArrayList<>();
  private final ScheduledExecutorService ticks =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("probes").daemon().factory());

  Probes(Readiness readiness) {
    this.readiness = readiness;
  }

  /** Adds one, before they are started. */
  void add(List<CheckId> checks, Timing timing, Attempt attempt) {
    ExecutorService thread =
        Executors.newSingleThreadExecutor(EngineThreads.factory("probe-" + checks.getFirst().id()));
    threads.add(thread);
    probes.add(new Probe(checks, attempt, timing, thread, readiness, System::nanoTime));
  }

  /** Has something done when the probes have ended. */
  void atEnd(Runnable ending) {
    endings.add(ending);
  }

  /** Begins, and waits until each was tried once: a server that listens is ready if it can be. */
  void start() throws InterruptedException {
    if (probes.isEmpty()) {
      return;
    }
    var _ = ticks.scheduleWithFixedDelay(this::tick, 0, TICK_MS, TimeUnit.MILLISECONDS);
    for (Probe probe : probes) {
      probe.first().await();
    }
  }

  private void tick() {
    for (Probe probe : probes) {
      try {
        probe.tick();
      } catch (RuntimeException e) {
        // The scheduler would never run it again.
        LOG.atError().setCause(e).log("a probe failed");
      }
    }
  }

  @Override
  public void close() {
    ticks.shutdownNow();
    threads.forEach(ExecutorService::shutdownNow);
    endings.forEach(Runnable::run);
  }
}
