package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.query.Batches;
import com.lokryn.ducklake.query.Cancellation;
import com.lokryn.ducklake.query.Outcome;
import com.lokryn.ducklake.query.PendingUpdate;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.dictionary.DictionaryProvider.MapDictionaryProvider;

/** A statement with effects whose ticket was fetched: it runs now, and gives its count. */
final class CountBatches implements Batches {
  private final PendingUpdate update;
  private final VectorSchemaRoot root;
  private boolean ran;
  private boolean finished;
  private long rows;

  CountBatches(PendingUpdate update, BufferAllocator allocator) {
    this.update = update;
    this.root = VectorSchemaRoot.create(PendingUpdate.COUNT, allocator);
  }

  @Override
  public boolean next() throws EngineException {
    if (ran) {
      return false;
    }
    ran = true;
    rows = update.run();
    var count = (BigIntVector) root.getVector(0);
    count.setSafe(0, rows);
    root.setRowCount(1);
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
    return update.cancellation();
  }

  @Override
  public Outcome done() {
    return new Outcome.Done(rows, 0);
  }

  @Override
  public void finish(Outcome outcome) {
    if (!finished) {
      finished = true;
      root.close();
    }
  }
}
