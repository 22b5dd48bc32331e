package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineException;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;

/**
 * Batches on their way to a client, with what ends them early and what takes note of how they
 * ended. Used by one thread at a time.
 */
public interface Batches {
  /** Loads the next batch into {@link #root}; false at the end of a complete result. */
  boolean next() throws EngineException;

  /** True when {@link #next} would answer at once, without the engine. */
  boolean isAtHand();

  /** The current batch; the same object throughout. */
  VectorSchemaRoot root();

  /** The dictionaries of the columns, complete once {@link #next} was called. */
  DictionaryProvider dictionaries();

  Cancellation cancellation();

  /** The outcome if everything was sent. */
  Outcome done();

  /** Closes everything; later calls do nothing. */
  void finish(Outcome outcome);
}
