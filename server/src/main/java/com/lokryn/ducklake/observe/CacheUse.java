package com.lokryn.ducklake.observe;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What became of questions to the cache of results since the process started. Thread-safe. */
public final class CacheUse {
  private final LongAdder hits = new LongAdder();
  private final LongAdder misses = new LongAdder();
  private final LongAdder evictions = new LongAdder();
  private final AtomicLong entries = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();

  public void hit() {
    hits.increment();
  }

  public void missed() {
    misses.increment();
  }

  public void evicted() {
    evictions.increment();
  }

  /** Says what it holds from here on. */
  public void holds(long results, long size) {
    entries.set(results);
    bytes.set(size);
  }

  /** Statements that were answered from it. */
  public long hits() {
    return hits.sum();
  }

  /** Statements that could have been, and were not there. */
  public long misses() {
    return misses.sum();
  }

  /** Results that made room for others. */
  public long evictions() {
    return evictions.sum();
  }

  /** Results that are in it. */
  public long entries() {
    return entries.get();
  }

  /** What they take. */
  public long bytes() {
    return bytes.get();
  }
}
