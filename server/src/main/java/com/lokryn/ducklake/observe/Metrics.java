package com.lokryn.ducklake.observe;

import com.lokryn.ducklake.observe.Readiness.Condition;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/** Every number that the server shows, in Prometheus's text format. Thread-safe. */
public final class Metrics {
  private static final double NANOS_PER_SECOND = 1e9;

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Readiness readiness;

  /** Checks that have a gauge. Guarded by this. */
  private final Set<CheckId> shown = EnumSet.noneOf(CheckId.class);

  public Metrics(Readiness readiness, Usage usage) {
    this.readiness = readiness;
    Gauge.builder("ducklake.flight.ready", readiness, one -> one.isReady() ? 1 : 0)
        .description("1 while the server takes queries")
        .register(registry);
    FunctionCounter.builder(
            "ducklake.flight.query", usage, one -> one.workNanos() / NANOS_PER_SECOND)
        .baseUnit("seconds")
        .description("time that the engine was at work for clients")
        .register(registry);
    FunctionCounter.builder("ducklake.flight.sent", usage, Usage::sentBytes)
        .baseUnit("bytes")
        .description("bytes of Arrow batches that were sent to clients")
        .register(registry);
    addCache(usage.cache());
  }

  private void addCache(CacheUse cache) {
    FunctionCounter.builder("ducklake.flight.result.cache.hits", cache, CacheUse::hits)
        .description("statements that were answered from the cache of results")
        .register(registry);
    FunctionCounter.builder("ducklake.flight.result.cache.misses", cache, CacheUse::misses)
        .description("statements that could have been answered from it, and were run")
        .register(registry);
    FunctionCounter.builder("ducklake.flight.result.cache.evictions", cache, CacheUse::evictions)
        .description("results that made room for others in it")
        .register(registry);
    Gauge.builder("ducklake.flight.result.cache.entries", cache, CacheUse::entries)
        .description("results in it")
        .register(registry);
    Gauge.builder("ducklake.flight.result.cache.size", cache, CacheUse::bytes)
        .baseUnit("bytes")
        .description("memory that they take")
        .register(registry);
  }

  /** All of them, as they are now. */
  public String scrape() {
    addChecks();
    return registry.scrape();
  }

  /** A check has a gauge from its first result on: what is not in use has none. */
  private synchronized void addChecks() {
    for (Condition condition : readiness.state().conditions()) {
      if (shown.add(condition.check())) {
        Gauge.builder("ducklake.flight.check.ok", () -> value(condition.check()))
            .tag("check", condition.check().id())
            .description("1 while what the check looks at works, as in /readyz")
            .register(registry);
      }
    }
  }

  private int value(CheckId check) {
    Optional<Condition> found =
        readiness.state().conditions().stream()
            .filter(condition -> condition.check() == check)
            .findFirst();
    return found.filter(Condition::isOk).isPresent() ? 1 : 0;
  }
}
