package com.lokryn.ducklake.cache;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.observe.CacheUse;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What stays, what goes, and that no more is held than may be. */
class ResultCacheTest {
  private static final long MAX_BYTES = 1_400_000;

  /** Of 8 bytes, with a bit each that says it is there, which Arrow allocates 134 kB for. */
  private static final int ROWS = 15_000;

  private static final long SECOND = 1_000_000_000;

  private final BufferAllocator engine = new RootAllocator();
  private final BufferAllocator allocator = new RootAllocator();
  private final CacheUse use = new CacheUse();
  private final ResultCache cache = new ResultCache(allocator, MAX_BYTES, use);

  @AfterEach
  void close() {
    cache.close();
    assertThat(allocator.getAllocatedMemory()).isZero();
    allocator.close();
    engine.close();
  }

  private static CacheKey key(String sql, long snapshot) {
    return key(sql, OptionalLong.of(snapshot));
  }

  private static CacheKey key(String sql, OptionalLong snapshot) {
    return CacheKey.of(sql, new Namespace("lake", "main"), List.of(), snapshot).orElseThrow();
  }

  @Test
  void whatIsOfNoSnapshotStaysWhenThereIsANewOne() throws EngineException {
    CacheKey constant = key("1", OptionalLong.empty());
    keep(key("q", 1), 1, ROWS, SECOND);
    keep(constant, 1, ROWS, SECOND);
    keep(key("q", 2), 1, ROWS, SECOND);
    assertThat(has(constant)).isTrue();
    assertThat(has(key("q", 1))).isFalse();
    assertThat(has(key("q", 2))).isTrue();
  }

  /** A stream of one column, of so many batches. */
  private final class Numbers implements BatchStream {
    private final VectorSchemaRoot root =
        VectorSchemaRoot.create(
            new Schema(List.of(Field.nullable("n", new ArrowType.Int(64, true)))), engine);

    private final int rows;
    private int left;

    Numbers(int batches, int rows) {
      this.left = batches;
      this.rows = rows;
    }

    @Override
    public Schema schema() {
      return root.getSchema();
    }

    @Override
    public boolean next() {
      if (left == 0) {
        return false;
      }
      var numbers = (BigIntVector) root.getVector(0);
      numbers.allocateNew(rows);
      for (int i = 0; i < rows; i++) {
        numbers.set(i, 1000L * left + i);
      }
      root.setRowCount(rows);
      left--;
      return true;
    }

    @Override
    public VectorSchemaRoot root() {
      return root;
    }

    @Override
    public DictionaryProvider dictionaries() {
      return new DictionaryProvider.MapDictionaryProvider();
    }

    @Override
    public void close() {
      root.close();
    }
  }

  private void keep(CacheKey key, int batches, int rows, long nanos) throws EngineException {
    try (BatchStream stream = cache.record(key, new Numbers(batches, rows), nanos, () -> true)) {
      while (stream.next()) {
        // Read to its end.
      }
    }
  }

  private boolean has(CacheKey key) throws EngineException {
    var found = cache.find(key);
    if (found.isPresent()) {
      found.get().close();
    }
    return found.isPresent();
  }

  @Test
  void whatWasReadIsGivenAgain() throws Exception {
    keep(key("a", 1), 3, 10, SECOND);
    for (int reader = 0; reader < 2; reader++) {
      try (BatchStream stream = cache.find(key("a", 1)).orElseThrow()) {
        var first = new ArrayList<Long>();
        while (stream.next()) {
          assertThat(stream.root().getRowCount()).isEqualTo(10);
          first.add(((BigIntVector) stream.root().getVector(0)).get(9));
        }
        assertThat(first).containsExactly(3009L, 2009L, 1009L);
        assertThat(stream.next()).isFalse();
      }
    }
    assertThat(use.hits()).isEqualTo(2);
  }

  @Test
  void whatWasNotReadToItsEndIsNot() throws Exception {
    try (BatchStream stream = cache.record(key("a", 1), new Numbers(2, 10), 0, () -> true)) {
      stream.next();
    }
    assertThat(has(key("a", 1))).isFalse();
  }

  @Test
  void whatWasCutOffIsNot() throws Exception {
    try (BatchStream stream = cache.record(key("a", 1), new Numbers(2, 10), 0, () -> false)) {
      while (stream.next()) {
        // Its end is none.
      }
    }
    assertThat(has(key("a", 1))).isFalse();
  }

  @Test
  void whatIsTooLargeIsNot() throws Exception {
    keep(key("a", 1), 3, ROWS, SECOND);
    assertThat(has(key("a", 1))).isFalse();
    assertThat(allocator.getAllocatedMemory()).isZero();
    // Nor does it take the room of others.
    keep(key("b", 1), 2, ROWS, SECOND);
    assertThat(has(key("b", 1))).isTrue();
  }

  @Test
  void aNewSnapshotEndsTheOnesBefore() throws Exception {
    keep(key("a", 1), 1, 10, SECOND);
    keep(key("b", 2), 1, 10, SECOND);
    assertThat(has(key("a", 1))).isFalse();
    keep(key("a", 1), 1, 10, SECOND);
    assertThat(has(key("a", 1))).isFalse();
    assertThat(use.entries()).isEqualTo(1);
  }

  @Test
  void theOneThatSavesLeastGoes() throws Exception {
    keep(key("dear", 1), 1, ROWS, 100 * SECOND);
    for (int i = 0; i < 20; i++) {
      keep(key("cheap " + i, 1), 1, ROWS, SECOND);
    }
    assertThat(has(key("dear", 1))).isTrue();
    assertThat(has(key("cheap 0", 1))).isFalse();
    assertThat(has(key("cheap 19", 1))).isTrue();
    assertThat(use.evictions()).isPositive();
    assertThat(use.bytes()).isLessThanOrEqualTo(MAX_BYTES);
  }

  @Test
  void whatIsBeingReadKeepsItsRoom() throws Exception {
    var readers = new ArrayList<BatchStream>();
    for (int i = 0; i < 30; i++) {
      CacheKey key = key("q " + i, 1);
      keep(key, 1, ROWS, SECOND);
      cache.find(key).ifPresent(readers::add);
      assertThat(use.bytes()).isLessThanOrEqualTo(MAX_BYTES);
    }
    assertThat(readers).hasSizeBetween(2, 8);
    assertThat(has(key("q 29", 1))).isFalse();
    for (BatchStream reader : readers) {
      assertThat(reader.next()).isTrue();
      reader.close();
    }
    keep(key("later", 1), 1, ROWS, SECOND);
    assertThat(has(key("later", 1))).isTrue();
  }

  @Test
  void recordingsShareTheirRoom() throws Exception {
    var open = new ArrayList<BatchStream>();
    for (int i = 0; i < 20; i++) {
      BatchStream stream = cache.record(key("q " + i, 1), new Numbers(2, ROWS), SECOND, () -> true);
      stream.next();
      open.add(stream);
    }
    assertThat(allocator.getAllocatedMemory()).isLessThan(MAX_BYTES / 2);
    for (BatchStream stream : open) {
      stream.close();
    }
    assertThat(allocator.getAllocatedMemory()).isZero();
  }
}
