package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.ipc.IncomingBatches;
import com.lokryn.ducklake.query.IngestService;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/** The batches of an upload as the engine pulls them. */
final class UploadSource extends IngestService.Source {
  private final IncomingBatches batches;
  private final AtomicLong rows = new AtomicLong();
  private final AtomicLong waitedNanos = new AtomicLong();
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile @Nullable RuntimeException failure;

  /**
   * @param batches owned by this source
   */
  UploadSource(IncomingBatches batches, BufferAllocator allocator) {
    super(allocator);
    this.batches = batches;
  }

  @Override
  public boolean loadNextBatch() throws IOException {
    long began = System.nanoTime();
    try {
      boolean loaded = batches.next();
      if (loaded) {
        rows.addAndGet(batches.root().getRowCount());
      }
      return loaded;
    } catch (RuntimeException e) {
      failure = e;
      throw new IOException("the upload ended early");
    } finally {
      waitedNanos.addAndGet(System.nanoTime() - began);
    }
  }

  @Override
  public Optional<RuntimeException> failure() {
    return Optional.ofNullable(failure);
  }

  @Override
  public long rows() {
    return rows.get();
  }

  @Override
  public long waitedNanos() {
    return waitedNanos.get();
  }

  @Override
  public void skip() {
    while (batches.next()) {
      // The client sends it all before it looks at the answer.
    }
  }

  @Override
  public VectorSchemaRoot getVectorSchemaRoot() {
    return batches.root();
  }

  @Override
  protected Schema readSchema() {
    return batches.schema();
  }

  @Override
  public Map<Long, Dictionary> getDictionaryVectors() {
    return Map.of();
  }

  @Override
  public @Nullable Dictionary lookup(long id) {
    return null;
  }

  @Override
  public Set<Long> getDictionaryIds() {
    return Set.of();
  }

  @Override
  public long bytesRead() {
    return 0;
  }

  /** Called both by its owner and by the C stream that it was exported to. */
  @Override
  public void close(boolean closeReadSource) {
    if (closed.compareAndSet(false, true)) {
      batches.close();
    }
  }

  @Override
  protected void closeReadSource() {}
}
