package com.lokryn.ducklake.observe;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** The numbers of statements, for metrics. Thread-safe. */
public final class QueryNumbers implements QueryListener {
  private static final Phase[] PHASES = Phase.values();

  private final LongAdder running = new LongAdder();
  private final Map<QueryKind, Counts<QueryOutcome>> ended = new EnumMap<>(QueryKind.class);
  private final Counts<QueryKind> rows = new Counts<>(QueryKind.class);
  private final Map<Phase, Histogram> phases = new EnumMap<>(Phase.class);
  private final Histogram total = new Histogram();

  public QueryNumbers() {
    for (QueryKind kind : QueryKind.values()) {
      ended.put(kind, new Counts<>(QueryOutcome.class));
    }
    for (Phase phase : PHASES) {
      phases.put(phase, new Histogram());
    }
  }

  @Override
  public void began() {
    running.increment();
  }

  @Override
  public void ended(QueryRecord query) {
    running.decrement();
    outcomes(query.kind()).add(query.outcome());
    rows.add(query.kind(), query.rows());
    Phases times = query.phases();
    for (Phase phase : PHASES) {
      if (times.reached(phase)) {
        phase(phase).add(times.nanos(phase));
      }
    }
    total.add(times.nanos());
  }

  private Counts<QueryOutcome> outcomes(QueryKind kind) {
    return Objects.requireNonNull(ended.get(kind));
  }

  /** Statements that run, or whose results are on their way, now. */
  public long running() {
    return running.sum();
  }

  /** Statements that ended so. */
  public long ended(QueryKind kind, QueryOutcome outcome) {
    return outcomes(kind).of(outcome);
  }

  /** Rows that statements of a kind have sent or changed. */
  public long rows(QueryKind kind) {
    return rows.of(kind);
  }

  /** How long a phase took. */
  Histogram phase(Phase phase) {
    return Objects.requireNonNull(phases.get(phase));
  }

  /** How long statements took, with their waiting and their results. */
  Histogram total() {
    return total;
  }
}
