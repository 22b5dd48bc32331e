package com.lokryn.ducklake.cache;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.TypeFacts;
import com.lokryn.ducklake.observe.CacheUse;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * The results that were worth keeping, by what they are a function of. Nothing in it can become
 * wrong: a commit makes another snapshot, under which nothing is found yet.
 *
 * <p>When there is no room, the result goes that saves the least engine time for its size, and of
 * equal ones that which was used last before the others: GreedyDual-Size (Cao and Irani, 1997).
 * What is still read by clients when it goes keeps its room until they have read it. Thread-safe.
 */
public final class ResultCache implements AutoCloseable {
  /** What results take while they are recorded, so one of them at most, is this part of it. */
  private static final int RECORDED = 4;

  /**
   * A result in its place in the order of going.
   *
   * @param number of its last use
   */
  private record Entry(CacheKey key, KeptResult result, double priority, long number) {
    /** The order; the comparators of the library are not in the cache of quick starts. */
    static int compare(Entry one, Entry other) {
      int byPriority = Double.compare(one.priority, other.priority);
      return byPriority == 0 ? Long.compare(one.number, other.number) : byPriority;
    }
  }

  private final BufferAllocator allocator;
  private final boolean isOn;
  private final Quota recorded;
  private final Quota kept;
  private final CacheUse use;
  private final Map<CacheKey, Entry> entries = new HashMap<>();
  private final TreeSet<Entry> order = new TreeSet<>(Entry::compare);

  /** The priority of what went last: what is new begins from there. */
  private double floor;

  private long uses;

  /** All that there is of a snapshot is of this one. */
  private long newest = Long.MIN_VALUE;

  private boolean closed;

  /**
   * @param allocator of the buffers that are kept
   * @param maxBytes what all of it may take; 0 for no cache
   * @param use told of what becomes of it
   */
  public ResultCache(BufferAllocator allocator, long maxBytes, CacheUse use) {
    this.allocator = allocator;
    this.isOn = maxBytes > 0;
    this.recorded = new Quota(maxBytes / RECORDED);
    this.kept = new Quota(maxBytes - maxBytes / RECORDED);
    this.use = use;
  }

  public boolean isOn() {
    return isOn;
  }

  /** The result, to be read once and closed; empty where it is not kept. */
  public Optional<BatchStream> find(CacheKey key) {
    Optional<KeptResult> found = held(key);
    if (found.isPresent()) {
      use.hit();
    }
    return found.map(result -> new KeptStream(result, allocator));
  }

  /** The schema of a result that is kept. */
  public synchronized Optional<Schema> schema(CacheKey key) {
    return Optional.ofNullable(entries.get(key)).map(entry -> entry.result.schema());
  }

  private synchronized Optional<KeptResult> held(CacheKey key) {
    Entry entry = entries.get(key);
    if (entry == null) {
      return Optional.empty();
    }
    order.remove(entry);
    add(key, entry.result);
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
    use.missed();
    // The values of dictionaries are not in the batches.
    return TypeFacts.hasDictionary(stream.schema())
        ? stream
        : new Recording(
            stream,
            allocator,
            recorded,
            nanos,
            isWhole,
            (batches, bytes, cost) -> put(key, stream.schema(), batches, bytes, cost));
  }

  private synchronized void put(
      CacheKey key, Schema schema, List<ArrowRecordBatch> batches, long size, long costNanos) {
    long snapshot = key.snapshot().orElse(newest);
    if (snapshot > newest) {
      // Nobody begins to look at the one before any more.
      clear(old -> old.snapshot().isPresent());
      newest = snapshot;
    }
    long bytes = size + key.bytes();
    boolean isWanted = !closed && snapshot == newest && !entries.containsKey(key);
    if (!isWanted || !makeRoom(bytes)) {
      batches.forEach(ArrowRecordBatch::close);
      return;
    }
    add(key, new KeptResult(schema, batches, bytes, costNanos, kept));
    use.holds(entries.size(), kept.used());
  }

  private void add(CacheKey key, KeptResult result) {
    var entry = new Entry(key, result, floor + result.worth(), uses++);
    entries.put(key, entry);
    order.add(entry);
  }

  private boolean makeRoom(long bytes) {
    while (!kept.take(bytes)) {
      Entry least = order.pollFirst();
      if (least == null) {
        return false;
      }
      floor = least.priority;
      entries.remove(least.key);
      least.result.release();
      use.evicted();
    }
    return true;
  }

  /** Lets go of all of it; what is being read goes on. */
  @Override
  public synchronized void close() {
    closed = true;
    clear(_ -> true);
  }

  private void clear(Predicate<CacheKey> condition) {
    List<Entry> old = entries.values().stream().filter(entry -> condition.test(entry.key)).toList();
    for (Entry entry : old) {
      entries.remove(entry.key);
      order.remove(entry);
      entry.result.release();
    }
    use.holds(entries.size(), kept.used());
  }
}
