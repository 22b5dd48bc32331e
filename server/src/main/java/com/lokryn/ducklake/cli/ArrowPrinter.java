package com.lokryn.ducklake.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.util.Set;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.jspecify.annotations.Nullable;

/** Writes each result as an Arrow IPC stream of its own, with the dictionaries as they change. */
final class ArrowPrinter implements ResultPrinter, AutoCloseable {
  private final Output out;
  private final BufferAllocator allocator;
  private @Nullable Stream stream;

  ArrowPrinter(OutputStream out, BufferAllocator allocator) {
    this.out = new Output(out);
    this.allocator = allocator;
  }

  @Override
  public void start(VectorSchemaRoot columns, DictionaryProvider dictionaries) throws IOException {
    close();
    out.open = true;
    stream = new Stream(columns, dictionaries);
    stream.writer.start();
  }

  @Override
  public void batch(VectorSchemaRoot batch, DictionaryProvider dictionaries) throws IOException {
    opened().write(batch, dictionaries);
    out.flush();
  }

  @Override
  public void end() throws IOException {
    opened().writer.end();
    out.flush();
    close();
  }

  @Override
  public void done(String sentence) {
    // A stream holds rows and nothing else.
  }

  /** Frees what an error has left. */
  @Override
  public void close() {
    out.open = false;
    if (stream != null) {
      stream.close();
      stream = null;
    }
  }

  private Stream opened() {
    if (stream == null) {
      throw new IllegalStateException("a batch before the start");
    }
    return stream;
  }

  /** A result can come in several parts with vectors of their own; a writer knows one root. */
  private final class Stream implements DictionaryProvider, AutoCloseable {
    private final VectorSchemaRoot root;
    private final ArrowStreamWriter writer;
    private DictionaryProvider current;

    Stream(VectorSchemaRoot columns, DictionaryProvider dictionaries) {
      current = dictionaries;
      root = VectorSchemaRoot.create(columns.getSchema(), allocator);
      writer = new ArrowStreamWriter(root, this, Channels.newChannel(out));
    }

    void write(VectorSchemaRoot batch, DictionaryProvider dictionaries) throws IOException {
      current = dictionaries;
      try (var unloaded = new VectorUnloader(batch).getRecordBatch()) {
        new VectorLoader(root).load(unloaded);
      }
      writer.writeBatch();
    }

    @Override
    public @Nullable Dictionary lookup(long id) {
      return current.lookup(id);
    }

    @Override
    public Set<Long> getDictionaryIds() {
      return current.getDictionaryIds();
    }

    @Override
    public void close() {
      writer.close();
      root.close();
    }
  }

  /**
   * The writer's close frees its dictionaries, but also closes what it writes to and ends a stream
   * that an error has cut: these two are not for the standard output.
   */
  private static final class Output extends FilterOutputStream {
    private boolean open;

    Output(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int b) throws IOException {
      if (open) {
        out.write(b);
      }
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
      if (open) {
        out.write(bytes, from, count);
      }
    }

    @Override
    public void close() {
      // It is the program's.
    }
  }
}
