package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.query.Batches;
import com.lokryn.ducklake.query.Cancellation;
import com.lokryn.ducklake.query.Outcome;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.dictionary.DictionaryProvider.MapDictionaryProvider;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/** An answer that is there already, in batches that every client takes. */
final class MetadataBatches implements Batches {
  /** Few enough for the vectors; the schemas of wide tables reach the other limit before. */
  private static final int MAX_ROWS = 4_096;

  /** Clients refuse messages of more than 16 MiB by default; one row may be large. */
  private static final int MAX_BYTES = 2 << 20;

  private final VectorSchemaRoot root;
  private final Cancellation cancellation;

  /** What is to be written into the root yet; nothing when it came filled. */
  private final List<? extends List<? extends @Nullable Object>> rows;

  private final long total;
  private int written;
  private boolean given;
  private boolean finished;

  /** The rows that the root has, as one batch. */
  MetadataBatches(VectorSchemaRoot root, Cancellation cancellation) {
    this.root = root;
    this.cancellation = cancellation;
    rows = List.of();
    total = root.getRowCount();
  }

  /** Rows as {@link RowWriter} takes them. */
  MetadataBatches(
      Schema schema,
      List<? extends List<? extends @Nullable Object>> rows,
      BufferAllocator allocator,
      Cancellation cancellation) {
    this.root = RowWriter.write(schema, List.of(), allocator);
    this.cancellation = cancellation;
    this.rows = rows;
    total = rows.size();
  }

  @Override
  public boolean next() {
    boolean first = !given;
    given = true;
    if (written < rows.size()) {
      int end = end(written);
      RowWriter.fill(root, rows.subList(written, end));
      written = end;
      return true;
    }
    return first;
  }

  /** Where the batch ends that begins at a row: at least one row behind it. */
  private int end(int begin) {
    long bytes = 0;
    int end = begin;
    while (end < rows.size() && end - begin < MAX_ROWS) {
      for (Object value : rows.get(end)) {
        bytes += value instanceof byte[] array ? array.length : 0;
      }
      if (bytes > MAX_BYTES && end > begin) {
        break;
      }
      end++;
    }
    return end;
  }

  @Override
  public boolean isAtHand() {
    return true;
  }

  @Override
  public VectorSchemaRoot root() {
    return root;
  }

  @Override
  public DictionaryProvider dictionaries() {
    return new MapDictionaryProvider();
  }

  @Override
  public Cancellation cancellation() {
    return cancellation;
  }

  @Override
  public Outcome done() {
    return new Outcome.Done(total, 0);
  }

  @Override
  public void finish(Outcome outcome) {
    if (!finished) {
      finished = true;
      root.close();
    }
  }
}
