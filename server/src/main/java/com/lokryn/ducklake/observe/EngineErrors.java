package com.lokryn.ducklake.observe;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/** How often the engine failed, and how. Thread-safe. */
public final class EngineErrors {
  private final SortedMap<String, LongAdder> counts = new TreeMap<>();

  /**
   * @param kinds all that there are
   */
  public EngineErrors(List<String> kinds) {
    kinds.forEach(kind -> counts.put(kind, new LongAdder()));
  }

  /** Counts one; what is no known kind is not counted. */
  public void add(String kind) {
    LongAdder count = counts.get(kind);
    if (count != null) {
      count.increment();
    }
  }

  /** All kinds, and how often there was each. */
  Map<String, LongAdder> all() {
    return counts;
  }
}
