package com.lokryn.ducklake.observe;

import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;

/**
 * How long what the server needs takes to answer, and how often it does not: of the probes that
 * {@code /readyz} shows. A local lake has none. Thread-safe.
 */
public final class DependencyTimes {
  /** What is measured. */
  static final Set<CheckId> CHECKS = Set.of(CheckId.CATALOG, CheckId.S3_GET, CheckId.S3_PUT);

  private record Times(Histogram took, LongAdder errors) {}

  private final Map<CheckId, Times> times = new EnumMap<>(CheckId.class);

  public DependencyTimes() {
    CHECKS.forEach(check -> times.put(check, new Times(new Histogram(), new LongAdder())));
  }

  /** Something that may fail. */
  public interface Attempt<E extends Exception> {
    void run() throws E;
  }

  /** Measures an attempt. */
  public <E extends Exception> void time(CheckId check, Attempt<E> attempt) throws E {
    Times found = of(check);
    long began = System.nanoTime();
    boolean isOk = false;
    try {
      attempt.run();
      isOk = true;
    } finally {
      found.took.add(System.nanoTime() - began);
      if (!isOk) {
        found.errors.increment();
      }
    }
  }

  private Times of(CheckId check) {
    Times found = times.get(check);
    if (found == null) {
      throw new IllegalArgumentException(check.id());
    }
    return found;
  }

  Histogram took(CheckId check) {
    return of(check).took;
  }

  long errors(CheckId check) {
    return of(check).errors.sum();
  }
}
