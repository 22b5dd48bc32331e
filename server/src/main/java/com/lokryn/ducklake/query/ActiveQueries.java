package com.lokryn.ducklake.query;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The statements that run now, or whose results wait or are on their way. Thread-safe. */
public final class ActiveQueries {
  private final Map<String, Execution> byId = new ConcurrentHashMap<>();

  /** By System.nanoTime. */
  private volatile long watchedUntil = System.nanoTime();

  /**
   * Somebody looks: statements that begin within a while tell their progress. That takes a setting
   * of their connections, which are not used again.
   */
  public void watch(Duration length) {
    watchedUntil = System.nanoTime() + length.toNanos();
  }

  boolean areWatched() {
    return System.nanoTime() - watchedUntil < 0;
  }

  void add(Execution execution) {
    byId.put(execution.id().value(), execution);
  }

  void remove(Execution execution) {
    byId.remove(execution.id().value());
  }

  Optional<Execution> find(String id) {
    return Optional.ofNullable(byId.get(id));
  }

  /** The oldest first. */
  List<Execution> all() {
    return byId.values().stream()
        .sorted(Comparator.comparingLong(Execution::ageNanos).reversed())
        .toList();
  }
}
