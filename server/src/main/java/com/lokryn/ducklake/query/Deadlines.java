package com.lokryn.ducklake.query;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The statements at work and when each has to be over. Thread-safe. */
final class Deadlines {
  private final Map<Cancellation, Instant> running = new ConcurrentHashMap<>();
  private final InstantSource clock;
  private final Duration limit;

  Deadlines(InstantSource clock, Duration limit) {
    this.clock = clock;
    this.limit = limit;
  }

  void begin(Cancellation statement) {
    running.putIfAbsent(statement, clock.instant().plus(limit));
  }

  void end(Cancellation statement) {
    running.remove(statement);
  }

  /** Cancels what is late. */
  void sweep() {
    Instant now = clock.instant();
    running.forEach(
        (statement, until) -> {
          if (until.isBefore(now) && running.remove(statement, until)) {
            statement.cancel(
                Problem.TIME_LIMIT,
                "the statement took longer than query_timeout (%d seconds)"
                    .formatted(limit.toSeconds()));
          }
        });
  }
}
