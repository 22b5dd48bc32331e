package com.lokryn.ducklake.observe;

import com.lokryn.ducklake.observe.Levels.EngineUse;
import com.lokryn.ducklake.observe.Levels.Lane;
import com.lokryn.ducklake.observe.Readiness.Condition;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Every number that the server shows, in Prometheus's text format. What is shown is counted
 * elsewhere, in a few nanoseconds each; nothing of Micrometer is made before somebody looks for the
 * first time, which a start would wait for. Thread-safe.
 */
public final class Metrics implements AutoCloseable {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final String PREFIX = "ducklake.flight.";

  private final Readiness readiness;
  private final Numbers numbers;
  private final Levels levels;

  /** Made with the first scrape. Guarded by this. */
  private @Nullable PrometheusMeterRegistry made;

  /** Made with it. Guarded by this. */
  private @Nullable JvmGcMetrics collections;

  /** Of one scrape. Guarded by this. */
  private EngineUse engine = EngineUse.UNKNOWN;

  /** Checks that have a gauge. Guarded by this. */
  private final Set<CheckId> shown = EnumSet.noneOf(CheckId.class);

  public Metrics(Readiness readiness, Numbers numbers, Levels levels) {
    this.readiness = readiness;
    this.numbers = numbers;
    this.levels = levels;
  }

  /** All of them, as they are now. */
  public synchronized String scrape() {
    PrometheusMeterRegistry registry = made;
    if (registry == null) {
      registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
      addTo(registry);
      collections = new JvmGcMetrics();
      collections.bindTo(registry);
      made = registry;
    }
    addChecks(registry);
    engine = levels.engineUse();
    return registry.scrape();
  }

  private void addTo(PrometheusMeterRegistry registry) {
    var add = new Adding(registry);
    addServer(add);
    addQueries(add);
    addLimits(add);
    addMemory(add);
    addDependencies(add);
    addCache(add, numbers.usage().cache());
    addMachine(registry);
  }

  private void addServer(Adding add) {
    add.gauge("ready", "", "1 while the server takes queries", () -> readiness.isReady() ? 1 : 0);
    add.gauge("connections", "", "connections of clients", levels::connections);
    add.gauge("sessions", "", "sessions of clients", levels::sessions);
    add.gauge("transactions.open", "", "transactions of clients", levels::openTransactions);
    add.gauge("prepared.statements", "", "prepared statements", levels::preparedStatements);
    add.counter(
        "log.dropped", "", "lines of the log that were lost", Tags.empty(), Logging::dropped);
  }

  private void addQueries(Adding add) {
    QueryNumbers queries = numbers.queries();
    for (QueryKind kind : QueryKind.values()) {
      for (QueryOutcome outcome : QueryOutcome.values()) {
        add.counter(
            "queries",
            "",
            "statements of clients that have ended",
            Tags.of("kind", kind.label(), "outcome", outcome.label()),
            () -> queries.ended(kind, outcome));
      }
      add.counter(
          "rows",
          "",
          "rows that statements have sent or changed",
          Tags.of("kind", kind.label()),
          () -> queries.rows(kind));
    }
    add.gauge("queries.running", "", "statements that have begun", queries::running);
    var phases = new TreeMap<String, Histogram>();
    for (Phase phase : Phase.values()) {
      phases.put(phase.label(), queries.phase(phase));
    }
    add.histogram("query_phase_seconds", "time of statements in each phase", "phase", phases);
    var total = new TreeMap<String, Histogram>();
    total.put("", queries.total());
    add.histogram("query_duration_seconds", "time of statements from their request on", "", total);
    Usage usage = numbers.usage();
    add.counter(
        "query",
        "seconds",
        "time that the engine was at work for clients",
        Tags.empty(),
        () -> usage.workNanos() / NANOS_PER_SECOND);
    add.counter(
        "sent",
        "bytes",
        "bytes of Arrow batches that were sent to clients",
        Tags.empty(),
        usage::sentBytes);
    add.counter(
        "received",
        "bytes",
        "bytes of Arrow batches that clients have sent",
        Tags.empty(),
        usage::receivedBytes);
    add.gauge("streams.open", "", "results on their way to clients", levels::openStreams);
    add.gauge("results.waiting", "", "results that nobody has fetched", levels::waitingResults);
    numbers
        .errors()
        .all()
        .forEach(
            (kind, count) ->
                add.counter(
                    "engine.errors",
                    "",
                    "failures of the engine at work for clients",
                    Tags.of("error", kind),
                    count::sum));
  }

  private void addLimits(Adding add) {
    for (Limit limit : Limit.values()) {
      add.counter(
          "refused",
          "",
          "requests that met a limit",
          Tags.of("limit", limit.label()),
          () -> numbers.refusals().of(limit));
    }
    for (Lane lane : Lane.values()) {
      var tags = Tags.of("lane", lane.name().toLowerCase(Locale.ROOT));
      add.gauge("queue.length", "", "what waits for its turn", tags, () -> levels.waiting(lane));
      add.gauge("queue.running", "", "what has its turn", tags, () -> levels.atWork(lane));
    }
  }

  private void addMemory(Adding add) {
    add.gauge("engine.connections", "", "connections in the engine", levels::engineConnections);
    add.gauge("engine.memory", "bytes", "what the engine holds", this::engineMemory);
    add.gauge(
        "engine.memory.limit", "bytes", "what the engine may hold", levels::engineMemoryLimit);
    add.gauge("engine.spilled", "bytes", "what the engine has on the disk", this::engineSpilled);
    add.gauge("batch.memory", "bytes", "batches outside of the heap", levels::batchBytes);
    add.gauge(
        "transport.memory",
        "bytes",
        "what the transport holds outside of the heap",
        levels::transportBytes);
  }

  private synchronized double engineMemory() {
    return engine.memory();
  }

  private synchronized double engineSpilled() {
    return engine.spilled();
  }

  private void addDependencies(Adding add) {
    var took = new TreeMap<String, Histogram>();
    for (CheckId check : DependencyTimes.CHECKS) {
      took.put(check.id(), numbers.dependencies().took(check));
      add.counter(
          "dependency.errors",
          "",
          "probes that failed",
          Tags.of("check", check.id()),
          () -> numbers.dependencies().errors(check));
    }
    add.histogram("dependency_seconds", "time of the probes of what is needed", "check", took);
    add.gauge(
        "credentials.age",
        "seconds",
        "how long the process has had its AWS credentials",
        numbers.credentials()::seconds);
    for (MeteringResult result : MeteringResult.values()) {
      add.counter(
          "metering.records",
          "",
          "records of usage that were sent to AWS Marketplace",
          Tags.of("result", result.label()),
          () -> numbers.usage().metering().of(result));
    }
  }

  private static void addCache(Adding add, CacheUse cache) {
    add.counter(
        "result.cache.hits",
        "",
        "statements that were answered from the cache of results",
        Tags.empty(),
        cache::hits);
    add.counter(
        "result.cache.misses",
        "",
        "statements that could have been answered from it, and were run",
        Tags.empty(),
        cache::misses);
    add.counter(
        "result.cache.evictions",
        "",
        "results that made room for others in it",
        Tags.empty(),
        cache::evictions);
    add.gauge("result.cache.entries", "", "results in it", cache::entries);
    add.gauge("result.cache.size", "bytes", "memory that they take", cache::bytes);
  }

  private static void addMachine(PrometheusMeterRegistry registry) {
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ClassLoaderMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
  }

  /** A check has a gauge from its first result on: what is not in use has none. */
  private void addChecks(PrometheusMeterRegistry registry) {
    for (Condition condition : readiness.state().conditions()) {
      if (shown.add(condition.check())) {
        new Adding(registry)
            .gauge(
                "check.ok",
                "",
                "1 while what the check looks at works, as in /readyz",
                Tags.of("check", condition.check().id()),
                () -> value(condition.check()));
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

  @Override
  public synchronized void close() {
    levels.close();
    if (collections != null) {
      collections.close();
    }
    if (made != null) {
      made.close();
    }
  }

  /** Adds meters of ours. */
  private record Adding(PrometheusMeterRegistry registry) {
    void gauge(String name, String unit, String help, Supplier<Number> value) {
      gauge(name, unit, help, Tags.empty(), value);
    }

    void gauge(String name, String unit, String help, Tags tags, Supplier<Number> value) {
      var gauge = Gauge.builder(PREFIX + name, value).tags(tags).description(help);
      (unit.isEmpty() ? gauge : gauge.baseUnit(unit)).register(registry);
    }

    void counter(String name, String unit, String help, Tags tags, Supplier<Number> value) {
      // The registry holds the meter, and a meter its function, but not what the function is given.
      ToDoubleFunction<PrometheusMeterRegistry> read = _ -> value.get().doubleValue();
      var counter = FunctionCounter.builder(PREFIX + name, registry, read);
      var described = counter.tags(tags).description(help);
      (unit.isEmpty() ? described : described.baseUnit(unit)).register(registry);
    }

    /**
     * Micrometer counts itself what it shows as a histogram; this one is shown as it was counted.
     *
     * @param label by whose values there are several; empty for one without
     */
    void histogram(String name, String help, String label, SortedMap<String, Histogram> all) {
      registry
          .getPrometheusRegistry()
          .register(
              () -> {
                var snapshot =
                    HistogramSnapshot.builder().name("ducklake_flight_" + name).help(help);
                all.forEach(
                    (value, one) ->
                        snapshot.dataPoint(
                            HistogramDataPointSnapshot.builder()
                                .labels(label.isEmpty() ? Labels.EMPTY : Labels.of(label, value))
                                .classicHistogramBuckets(
                                    ClassicHistogramBuckets.of(Histogram.bounds(), one.counts()))
                                .sum(one.seconds())
                                .build()));
                return snapshot.build();
              });
    }
  }
}
