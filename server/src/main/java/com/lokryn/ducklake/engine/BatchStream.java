package com.lokryn.ducklake.engine;

import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Batches of a result, pulled one by one. Used by one thread at a time; whoever holds it closes it.
 */
public interface BatchStream extends AutoCloseable {
  /** The schema as it goes over the wire: an ENUM is text that comes as a dictionary. */
  Schema schema();

  /**
   * Loads the next batch into {@link #root}, whose former content is released.
   *
   * @return false at the end, which is reached only when every row was given
   */
  boolean next() throws EngineException;

  /** True when it is known, without asking the engine, that there is no further batch. */
  default boolean isExhausted() {
    return false;
  }

  /** True when {@link #next} answers at once, without the engine. */
  default boolean isAtHand() {
    return isExhausted();
  }

  /** The current batch. The same object for the whole stream. */
  VectorSchemaRoot root();

  /** The dictionaries of ENUM columns; complete only once a batch is loaded. */
  DictionaryProvider dictionaries();

  @Override
  void close() throws EngineException;
}
