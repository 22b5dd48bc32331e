package com.lokryn.ducklake.observe;

import java.util.concurrent.atomic.LongAdder;

/** How often something took how long. Thread-safe; to count costs some nanoseconds. */
public final class Histogram {
  /** Upper bounds in seconds; what takes longer than the last one is in a bucket of its own. */
  private static final double[] BOUNDS = {
    0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, Double.POSITIVE_INFINITY
  };

  private static final double NANOS_PER_SECOND = 1e9;

  private final LongAdder[] counts = new LongAdder[BOUNDS.length];
  private final LongAdder nanos = new LongAdder();

  public Histogram() {
    for (int i = 0; i < counts.length; i++) {
      counts[i] = new LongAdder();
    }
  }

  /** Counts one that took so many nanoseconds. */
  public void add(long took) {
    double seconds = took / NANOS_PER_SECOND;
    int bucket = 0;
    while (seconds > BOUNDS[bucket]) {
      bucket++;
    }
    counts[bucket].increment();
    nanos.add(took);
  }

  /** The upper bounds of the buckets, in seconds; the last one is infinite. */
  static double[] bounds() {
    return BOUNDS.clone();
  }

  /** How many are in each bucket, and in none below. */
  long[] counts() {
    var now = new long[counts.length];
    for (int i = 0; i < now.length; i++) {
      now[i] = counts[i].sum();
    }
    return now;
  }

  /** What all took together. */
  double seconds() {
    return nanos.sum() / NANOS_PER_SECOND;
  }
}
