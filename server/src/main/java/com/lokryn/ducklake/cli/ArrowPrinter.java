package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.ResultSink;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.dictionary.DictionaryProvider.MapDictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.jspecify.annotations.Nullable;

/** Writes a result as an Arrow IPC stream. */
final class ArrowPrinter implements ResultSink {
  private final OutputStream out;
  private @Nullable ArrowStreamWriter writer;

  ArrowPrinter(OutputStream out) {
    this.out = out;
  }

  @Override
  public void batch(VectorSchemaRoot batch, DictionaryProvider dictionaries) throws IOException {
    writer(batch, dictionaries).writeBatch();
  }

  @Override
  public void end(VectorSchemaRoot root) throws IOException {
    writer(root, new MapDictionaryProvider()).end();
    out.flush();
    writer = null;
  }

  @Override
  public void changed(long rows) {
    // A change has no batches.
  }

  private ArrowStreamWriter writer(VectorSchemaRoot root, DictionaryProvider dictionaries)
      throws IOException {
    ArrowStreamWriter open = writer;
    if (open == null) {
      open = new ArrowStreamWriter(root, dictionaries, Channels.newChannel(out));
      open.start();
      writer = open;
    }
    return open;
  }
}
