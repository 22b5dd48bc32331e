package com.lokryn.ducklake.aws;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How long to wait before something is tried again: any time up to a limit that doubles with each
 * failure, so that processes which failed together do not come back together. Thread-safe where its
 * source of randomness is.
 *
 * @param first the limit of the first wait
 * @param longest the limit that no further one exceeds
 */
public record Backoff(Duration first, Duration longest, RandomGenerator random) {
  private static final int MAX_DOUBLINGS = 30;

  /**
   * The wait after some failures in a row.
   *
   * @param failures 1 for the first
   */
  public Duration after(int failures) {
    long doubled = first.toMillis() << Math.clamp(failures - 1, 0, MAX_DOUBLINGS);
    return Duration.ofMillis(random.nextLong(Math.min(doubled, longest.toMillis()) + 1));
  }
}
