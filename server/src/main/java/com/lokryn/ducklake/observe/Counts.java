package com.lokryn.ducklake.observe;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** How often there was each of a few things. Thread-safe. */
public final class Counts<E extends Enum<E>> {
  private final Map<E, LongAdder> counts;

  public Counts(Class<E> things) {
    counts = new EnumMap<>(things);
    for (E thing : Objects.requireNonNull(things.getEnumConstants())) {
      counts.put(thing, new LongAdder());
    }
  }

  /** Counts one. */
  public void add(E thing) {
    add(thing, 1);
  }

  /** Counts several. */
  public void add(E thing, long number) {
    adder(thing).add(number);
  }

  public long of(E thing) {
    return adder(thing).sum();
  }

  private LongAdder adder(E thing) {
    return Objects.requireNonNull(counts.get(thing));
  }
}
