package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/**
 * A stream of a connection that runs further statements: before the next one starts, {@link #spool}
 * takes the rest of the result into memory, because DuckDB would end it early otherwise.
 * Thread-safe.
 */
final class SpoolableStream implements BatchStream {
  /** What may wait in memory for one reader. */
  static final long MAX_SPOOLED_BYTES = 256L << 20;

  private final BatchStream engine;

  /**
   * What the reader looks at: batches change over into it by reference, so that spooling, which
   * moves the engine's own root, never touches a batch that is being sent.
   */
  private final VectorSchemaRoot root;

  private final Deque<ArrowRecordBatch> spooled = new ArrayDeque<>();
  private boolean detached;
  private boolean closed;
  private @Nullable EngineException failure;
  private @Nullable QueryException refusal;

  SpoolableStream(BatchStream engine) {
    this.engine = engine;
    this.root =
        VectorSchemaRoot.create(
            engine.root().getSchema(), engine.root().getVector(0).getAllocator());
  }

  /** Frees the connection for another statement; the reader goes on from memory. */
  synchronized void spool() {
    if (detached || closed) {
      return;
    }
    detached = true;
    try {
      long bytes = 0;
      while (engine.next()) {
        ArrowRecordBatch batch = new VectorUnloader(engine.root()).getRecordBatch();
        spooled.add(batch);
        bytes += batch.computeBodyLength();
        if (bytes > MAX_SPOOLED_BYTES) {
          refusal =
              new QueryException(
                  Problem.LIMIT,
                  "another statement was run in this session before this result was read, and the"
                      + " rest of it is larger than %d MB: read a result to its end first, or use"
                          .formatted(MAX_SPOOLED_BYTES >> 20)
                      + " a second connection");
          break;
        }
      }
    } catch (EngineException e) {
      failure = e;
    }
  }

  /** Ends the stream with an error, because its connection is going away. */
  synchronized void abort(QueryException reason) {
    if (!detached) {
      detached = true;
      refusal = reason;
    }
  }

  @Override
  public synchronized boolean next() throws EngineException {
    if (!detached) {
      boolean loaded = engine.next();
      if (loaded) {
        show(new VectorUnloader(engine.root()).getRecordBatch());
      }
      return loaded;
    }
    ArrowRecordBatch batch = spooled.poll();
    if (batch != null) {
      show(batch);
      return true;
    }
    if (failure != null) {
      throw failure;
    }
    if (refusal != null) {
      throw refusal;
    }
    return false;
  }

  @Override
  public synchronized boolean isExhausted() {
    return !detached && engine.isExhausted();
  }

  private void show(ArrowRecordBatch batch) {
    try (batch) {
      new VectorLoader(root).load(batch);
    }
  }

  @Override
  public Schema schema() {
    return engine.schema();
  }

  @Override
  public VectorSchemaRoot root() {
    return root;
  }

  @Override
  public DictionaryProvider dictionaries() {
    return engine.dictionaries();
  }

  @Override
  public synchronized void close() throws EngineException {
    if (closed) {
      return;
    }
    closed = true;
    spooled.forEach(ArrowRecordBatch::close);
    spooled.clear();
    root.close();
    engine.close();
  }
}
