package com.lokryn.ducklake.cache;

import com.lokryn.ducklake.engine.BatchStream;
import java.util.Iterator;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Schema;

/** Reads a result that was kept; its batches go out as they lie there. */
final class KeptStream implements BatchStream {
  private static final DictionaryProvider NO_DICTIONARIES =
      new DictionaryProvider.MapDictionaryProvider();

  private final KeptResult result;
  private final VectorSchemaRoot root;
  private final VectorLoader loader;
  private final Iterator<ArrowRecordBatch> batches;
  private boolean closed;

  /**
   * @param result held for this stream, which releases it
   */
  KeptStream(KeptResult result, BufferAllocator allocator) {
    this.result = result;
    this.root = VectorSchemaRoot.create(result.schema(), allocator);
    this.loader = new VectorLoader(root);
    this.batches = result.batches().iterator();
  }

  @Override
  public Schema schema() {
    return result.schema();
  }

  @Override
  public boolean next() {
    if (!batches.hasNext()) {
      return false;
    }
    loader.load(batches.next());
    return true;
  }

  @Override
  public boolean isExhausted() {
    return !batches.hasNext();
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
    return NO_DICTIONARIES;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      root.close();
      result.release();
    }
  }
}
