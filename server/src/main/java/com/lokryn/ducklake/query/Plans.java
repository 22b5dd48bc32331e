package com.lokryn.ducklake.query;

import java.util.LinkedHashSet;
import java.util.Optional;

/**
 * The prepared statements that have a plan ready, each with a connection of the engine: those that
 * were used last, so many at once. The others are planned anew when they are run. Thread-safe.
 */
final class Plans {
  private final LinkedHashSet<PreparedQuery> ready = new LinkedHashSet<>();
  private final int most;

  Plans(int most) {
    this.most = most;
  }

  /** Notes that one has a plan; returns another that has to give its own up for it. */
  synchronized Optional<PreparedQuery> add(PreparedQuery query) {
    ready.addLast(query);
    return ready.size() > most ? Optional.of(ready.removeFirst()) : Optional.empty();
  }

  synchronized void remove(PreparedQuery query) {
    ready.remove(query);
  }
}
