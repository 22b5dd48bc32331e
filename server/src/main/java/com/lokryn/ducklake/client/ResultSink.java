package com.lokryn.ducklake.client;

import java.io.IOException;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;

/** Takes a result batch by batch, as it arrives; an exception ends the result. */
public interface ResultSink {
  /** The columns of a result, before its first batch; the dictionaries may be empty still. */
  void start(VectorSchemaRoot columns, DictionaryProvider dictionaries) throws IOException;

  /** A batch; its memory is used again for the next one. */
  void batch(VectorSchemaRoot batch, DictionaryProvider dictionaries) throws IOException;

  /** The end of a complete result. */
  void end() throws IOException;
}
