package com.lokryn.ducklake.query;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Things a client was given a handle to and may forget. One that is taken out belongs to whoever
 * took it; only what nobody touches for the time to live, and what is not at work, is ended.
 * Thread-safe.
 */
public final class Expiring<T> implements AutoCloseable {
  private record Entry<T>(T value, Instant until) {}

  private final Map<String, Entry<T>> entries = new ConcurrentHashMap<>();
  private final InstantSource clock;
  private final Duration timeToLive;
  private final Predicate<T> busy;
  private final Consumer<T> end;

  /**
   * @param busy true for what is at work: its time starts when the work is over
   * @param end ends one; it must not block
   */
  public Expiring(InstantSource clock, Duration timeToLive, Predicate<T> busy, Consumer<T> end) {
    this.clock = clock;
    this.timeToLive = timeToLive;
    this.busy = busy;
    this.end = end;
  }

  public void put(String handle, T value) {
    entries.put(handle, new Entry<>(value, clock.instant().plus(timeToLive)));
  }

  /** The value, whose time starts anew. */
  public Optional<T> touch(String handle) {
    Entry<T> entry =
        entries.computeIfPresent(
            handle, (_, old) -> new Entry<>(old.value, clock.instant().plus(timeToLive)));
    return Optional.ofNullable(entry).map(Entry::value);
  }

  /** Takes the value out: of several callers, one gets it. */
  public Optional<T> take(String handle) {
    return Optional.ofNullable(entries.remove(handle)).map(Entry::value);
  }

  /** Ends one, if it is still there. */
  public void end(String handle) {
    take(handle).ifPresent(end);
  }

  /** Takes out the one of a kind that nobody has used for longest. */
  public Optional<T> takeOldest(Predicate<T> condition) {
    return entries.entrySet().stream()
        .filter(entry -> condition.test(entry.getValue().value))
        .min(Comparator.comparing(entry -> entry.getValue().until))
        .flatMap(entry -> take(entry.getKey()));
  }

  /** Ends what has outlived its time. */
  public void sweep() {
    Instant now = clock.instant();
    entries.forEach(
        (handle, entry) -> {
          if (busy.test(entry.value)) {
            touch(handle);
          } else if (entry.until.isBefore(now) && entries.remove(handle, entry)) {
            end.accept(entry.value);
          }
        });
  }

  /** Ends those of a kind. */
  public void endIf(Predicate<T> condition) {
    entries.forEach(
        (handle, entry) -> {
          if (condition.test(entry.value) && entries.remove(handle, entry)) {
            end.accept(entry.value);
          }
        });
  }

  /** How many there are of a kind. */
  public long count(Predicate<T> condition) {
    return entries.values().stream().filter(entry -> condition.test(entry.value)).count();
  }

  @Override
  public void close() {
    entries.keySet().forEach(handle -> take(handle).ifPresent(end));
  }
}
