package com.lokryn.ducklake.query;

import java.time.Duration;
import java.time.Instant;

/** How much time somebody has had lately: what was a second ago counts half. */
final class RecentUse {
  private static final double HALF_LIFE_SECONDS = 1;

  private double seconds;
  private Instant asOf = Instant.EPOCH;

  void add(Duration had, Instant now) {
    seconds = at(now) + seconds(had);
    asOf = now;
  }

  /** What counts now, in seconds. */
  double at(Instant now) {
    double age = Math.max(0, Duration.between(asOf, now).toMillis() / 1e3);
    return seconds * Math.pow(0.5, age / HALF_LIFE_SECONDS);
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }
}
