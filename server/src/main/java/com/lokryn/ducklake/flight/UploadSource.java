package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.query.IngestService;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/**
 * The batches of an upload as the engine pulls them; each is the client's own memory, not a copy.
 */
final class UploadSource extends IngestService.Source {
  private final FlightStream stream;
  private volatile @Nullable Throwable failure;

  private final AtomicLong rows = new AtomicLong();

  UploadSource(FlightStream stream, BufferAllocator allocator) {
    super(allocator);
    this.stream = stream;
  }

  @Override
  public boolean loadNextBatch() throws IOException {
    try {
      boolean loaded = stream.next();
      if (loaded) {
        rows.addAndGet(stream.getRoot().getRowCount());
      }
      return loaded;
    } catch (RuntimeException e) {
      failure = e;
      throw new IOException("the upload ended early");
    }
  }

  @Override
  public Optional<Throwable> failure() {
    return Optional.ofNullable(failure);
  }

  @Override
  public long rows() {
    return rows.get();
  }

  @Override
  public VectorSchemaRoot getVectorSchemaRoot() {
    return stream.getRoot();
  }

  @Override
  protected Schema readSchema() {
    return stream.getSchema();
  }

  @Override
  public Map<Long, Dictionary> getDictionaryVectors() {
    var dictionaries = new java.util.HashMap<Long, Dictionary>();
    getDictionaryIds().forEach(id -> dictionaries.put(id, lookup(id)));
    return dictionaries;
  }

  @Override
  public Dictionary lookup(long id) {
    return stream.getDictionaryProvider().lookup(id);
  }

  @Override
  public Set<Long> getDictionaryIds() {
    return stream.getDictionaryProvider().getDictionaryIds();
  }

  @Override
  public long bytesRead() {
    return 0;
  }

  @Override
  public void close(boolean closeReadSource) {
    // The call that carries the upload closes it.
  }

  @Override
  protected void closeReadSource() {}
}
