package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.observe.Limit;
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

  /** And for all of them. */
  private static final Budget ALL =
      new Budget(2 * MAX_SPOOLED_BYTES, "results that sessions have not read yet");

  private final Budget.Share share = ALL.share();
  private final BatchStream engine;
  private final EngineConnection connection;
  private final Cancellation own;

  /**
   * What the reader looks at: batches change over into it by reference, so that spooling, which
   * moves the engine's own root, never touches a batch that is being sent.
   */
  private final VectorSchemaRoot root;

  private final Deque<ArrowRecordBatch> spooled = new ArrayDeque<>();
  private long spooledBytes;
  private boolean detached;
  private boolean closed;
  private @Nullable EngineException failure;
  private @Nullable QueryException refusal;

  /** Looked at by event loops, which must not wait for a batch of the engine's. */
  private volatile boolean exhausted;

  /**
   * @param own ends this result, also while it is spooled
   */
  SpoolableStream(BatchStream engine, EngineConnection connection, Cancellation own) {
    this.engine = engine;
    this.connection = connection;
    this.own = own;
    this.root =
        VectorSchemaRoot.create(
            engine.root().getSchema(), engine.root().getVector(0).getAllocator());
  }

  /**
   * Frees the connection for another statement; the reader goes on from memory.
   *
   * @param next the statement that waits for it: when it is cancelled, the rest stays in the engine
   */
  synchronized void spool(Cancellation next) {
    if (detached || closed) {
      return;
    }
    try (var _ = own.guard(connection)) {
      while (engine.next()) {
        ArrowRecordBatch batch = new VectorUnloader(engine.root()).getRecordBatch();
        spooled.add(batch);
        exhausted = false;
        spooledBytes += batch.computeBodyLength();
        share.resize(spooledBytes);
        next.check();
        if (spooledBytes > MAX_SPOOLED_BYTES) {
          refusal =
              new QueryException(
                  Limit.RESULT_SIZE,
                  "another statement was run in this session before this result was read, and the"
                      + " rest of it is larger than %d MB: read a result to its end first, or use"
                          .formatted(MAX_SPOOLED_BYTES >> 20)
                      + " a second connection");
          break;
        }
      }
      detached = true;
    } catch (EngineException e) {
      detached = true;
      failure = e;
    } catch (QueryException e) {
      next.check();
      detached = true;
      refusal = e;
    }
  }

  /**
   * Takes all of a result into memory, for a transaction that is only committed if that went well.
   */
  synchronized void spoolAll() throws EngineException {
    spool(own);
    if (failure != null) {
      throw failure;
    }
    if (refusal != null) {
      throw refusal;
    }
  }

  /** Ends the stream with an error, because its connection is going away. */
  void abort(QueryException reason) {
    // Frees the monitor, which a reader holds while the engine works for it.
    own.cancel(reason.problem(), reason.text());
    synchronized (this) {
      if (!detached) {
        detached = true;
        refusal = reason;
      }
    }
  }

  @Override
  public synchronized boolean next() throws EngineException {
    ArrowRecordBatch batch = spooled.poll();
    if (batch != null) {
      spooledBytes -= batch.computeBodyLength();
      share.resize(spooledBytes);
      show(batch);
      return true;
    }
    if (!detached) {
      boolean loaded = engine.next();
      if (loaded) {
        show(new VectorUnloader(engine.root()).getRecordBatch());
      }
      exhausted = engine.isExhausted();
      return loaded;
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
  public boolean isExhausted() {
    return exhausted;
  }

  /** True when it needs its connection no more. */
  synchronized boolean isOver() {
    return closed || detached;
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
    share.close();
    root.close();
    engine.close();
  }
}
