package com.lokryn.ducklake.client;

import java.io.IOException;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;

/** Takes a result batch by batch, as it arrives. */
public interface ResultSink {
  /** A batch; its memory is used again for the next one. */
  void batch(VectorSchemaRoot batch, DictionaryProvider dictionaries) throws IOException;

  /** The end of a complete result. The root has its columns, and was empty if no batch came. */
  void end(VectorSchemaRoot root) throws IOException;

  /** A statement that gave no rows but changed some. */
  void changed(long rows) throws IOException;
}
