package com.lokryn.ducklake.cache;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.observe.CacheUse;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.types.pojo.Field;

/**
 * The results that were worth keeping, by what they are a function of. Nothing in it can become
 * wrong: a commit makes another snapshot, under which nothing is found yet.
 *
 * <p>When there is no room, the result goes that saves the least engine time for its size, and of
 * equal ones that which was used last before the others: GreedyDual-Size (Cao and Irani, 1997).
 * Thread-safe.
 */
public final class ResultCache implements AutoCloseable {
  /** One result takes no more than this part of it. */
  private static final int LARGEST = 4;

  private static final class Entry {
    private final KeptResult result;
    private double priority;

    Entry(KeptResult result, double priority) {
      this.result = result;
      this.priority = priority;
    }
  }

  private final BufferAllocator allocator;
  private final long maxBytes;
  private final CacheUse use;
  private final Map<CacheKey, Entry> entries = new HashMap<>();
  private long bytes;

  /** The priority of what went last: what is new begins from there. */
  private double floor;

  /** All that there is, is of this one. */
  private long newest = Long.MIN_VALUE;

  private boolean closed;

  /**
   * @param allocator of the buffers that are kept
   * @param maxBytes what all of it may take; 0 for no cache
   * @param use told of what becomes of it
   */
  public ResultCache(BufferAllocator allocator, long maxBytes, CacheUse use) {
    this.allocator = allocator;
    this.maxBytes = maxBytes;
    this.use = use;
  }

  public boolean isOn() {
    return maxBytes > 0;
  }

  /** The result, to be read once and closed; empty where it is not kept. */
  public Optional<BatchStream> find(CacheKey key) {
    Optional<KeptResult> found = held(key);
    if (found.isEmpty()) {
      use.missed();
      return Optional.empty();
    }
    use.hit();
    return Optional.of(new KeptStream(found.get(), allocator));
  }

  private synchronized Optional<KeptResult> held(CacheKey key) {
    Entry entry = entries.get(key);
    if (entry == null) {
      return Optional.empty();
    }
    entry.priority = floor + entry.result.worth();
    entry.result.hold();
    return Optional.of(entry.result);
  }

  /**
   * Reads a stream in a way that keeps its result, if it can be.
   *
   * @param nanos what it took to begin the stream
   * @param isWhole asked at the end: false when the stream was cut off
   */
  public BatchStream record(CacheKey key, BatchStream stream, long nanos, BooleanSupplier isWhole) {
    // The values of dictionaries are not in the batches.
    boolean hasDictionary =
        stream.schema().getFields().stream().anyMatch(ResultCache::hasDictionary);
    return hasDictionary
        ? stream
        : new Recording(
            stream,
            allocator,
            key.bytes(),
            maxBytes / LARGEST,
            nanos,
            isWhole,
            result -> put(key, result));
  }

  private static boolean hasDictionary(Field field) {
    return field.getDictionary() != null
        || field.getChildren().stream().anyMatch(ResultCache::hasDictionary);
  }

  private synchronized void put(CacheKey key, KeptResult result) {
    if (key.snapshot() > newest) {
      // Nobody begins to look at the one before any more.
      clear();
      newest = key.snapshot();
    }
    if (closed || key.snapshot() < newest || entries.containsKey(key)) {
      result.release();
      return;
    }
    while (bytes + result.bytes() > maxBytes) {
      evict();
    }
    entries.put(key, new Entry(result, floor + result.worth()));
    bytes += result.bytes();
    use.holds(entries.size(), bytes);
  }

  private void evict() {
    Map.Entry<CacheKey, Entry> least =
        entries.entrySet().stream()
            .min((a, b) -> Double.compare(a.getValue().priority, b.getValue().priority))
            .orElseThrow();
    floor = least.getValue().priority;
    entries.remove(least.getKey());
    bytes -= least.getValue().result.bytes();
    least.getValue().result.release();
    use.evicted();
  }

  /** Lets go of all of it; what is being read goes on. */
  @Override
  public synchronized void close() {
    closed = true;
    clear();
  }

  private void clear() {
    entries.values().forEach(entry -> entry.result.release());
    entries.clear();
    bytes = 0;
    use.holds(0, 0);
  }
}
