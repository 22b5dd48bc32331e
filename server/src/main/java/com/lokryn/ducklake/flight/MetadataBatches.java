package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.query.Batches;
import com.lokryn.ducklake.query.Cancellation;
import com.lokryn.ducklake.query.Outcome;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.dictionary.DictionaryProvider.MapDictionaryProvider;

/** An answer that is there already, as one batch. */
final class MetadataBatches implements Batches {
  private final VectorSchemaRoot root;
  private final Cancellation cancellation;
  private boolean given;
  private boolean finished;

  MetadataBatches(VectorSchemaRoot root, Cancellation cancellation) {
    this.root = root;
    this.cancellation = cancellation;
  }

  @Override
  public boolean next() {
    boolean first = !given;
    given = true;
    return first;
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
    return new Outcome.Done(root.getRowCount(), 0);
  }

  @Override
  public void finish(Outcome outcome) {
    if (!finished) {
      finished = true;
      root.close();
    }
  }
}
