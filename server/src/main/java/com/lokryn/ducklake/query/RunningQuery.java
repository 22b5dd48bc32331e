package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.observe.Limit;
import com.lokryn.ducklake.observe.QueryId;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * A query whose result is open. It owns the stream and what the stream needs; they are closed with
 * it, once, by {@link #finish}, which is also where the outcome is said. Used by one thread at a
 * time; cancelled, through its {@link Cancellation}, from any.
 */
public final class RunningQuery implements QueryResult, Batches {
  /** What became of the batch that was loaded ahead. */
  private enum First {
    WAITS,
    NONE,
    GIVEN
  }

  private final QueryId id;
  private final Session session;
  private final Optional<EngineConnection> connection;
  private final BatchStream stream;
  private final Cancellation cancellation;
  private final Optional<Portable> portable;
  private final long maxBytes;
  private final Consumer<Outcome> release;
  private final Consumer<Outcome> onEnd;
  private final AtomicBoolean finished = new AtomicBoolean();
  private First first = First.GIVEN;
  private long rows;
  private long bytes;

  /**
   * @param connection of the engine's that the stream comes from; empty for one in memory
   * @param portable what another server needs to give the same rows
   * @param maxBytes what the batches of the result may take together
   * @param release closes what the stream was opened from
   * @param onEnd takes note of the outcome, once it was given to its client
   */
  RunningQuery(
      QueryId id,
      Session session,
      Optional<EngineConnection> connection,
      BatchStream stream,
      Cancellation cancellation,
      Optional<Portable> portable,
      long maxBytes,
      Consumer<Outcome> release,
      Consumer<Outcome> onEnd) {
    this.id = id;
    this.session = session;
    this.connection = connection;
    this.stream = stream;
    this.cancellation = cancellation;
    this.portable = portable;
    this.maxBytes = maxBytes;
    this.release = release;
    this.onEnd = onEnd;
  }

  /**
   * Loads the first batch, so that it is at hand when its client comes for it. An error in it is
   * then one of the request, not of the stream: everything is closed, and whoever asked says how
   * the statement ended, or runs it once more.
   */
  void prefetch() throws EngineException {
    try {
      first = load() ? First.WAITS : First.NONE;
    } catch (EngineException | RuntimeException e) {
      close(Outcome.of(e), _ -> {});
      throw e;
    }
  }

  @Override
  public boolean isAtHand() {
    return first != First.GIVEN || stream.isAtHand();
  }

  /**
   * Loads the next batch into {@link #root}.
   *
   * @return false at the end of a complete result; a cancelled one ends with its reason instead
   */
  @Override
  public boolean next() throws EngineException {
    First waiting = first;
    first = First.GIVEN;
    return switch (waiting) {
      case WAITS -> true;
      case NONE -> false;
      case GIVEN -> load();
    };
  }

  private boolean load() throws EngineException {
    if (stream.isExhausted()) {
      cancellation.check();
      return false;
    }
    boolean loaded;
    try (var _ = connection.map(cancellation::guard).orElse(null)) {
      loaded = stream.next();
    } catch (EngineException e) {
      cancellation.check();
      throw e;
    }
    if (loaded) {
      rows += stream.root().getRowCount();
      for (FieldVector vector : stream.root().getFieldVectors()) {
        bytes += vector.getBufferSize();
      }
      if (bytes > maxBytes) {
        throw new QueryException(
            Limit.RESULT_SIZE,
            "the result is larger than %d bytes (max_result_bytes): ask for fewer rows or columns, or fetch it in parts"
                .formatted(maxBytes));
      }
    } else {
      cancellation.check();
    }
    return loaded;
  }

  @Override
  public VectorSchemaRoot root() {
    return stream.root();
  }

  @Override
  public DictionaryProvider dictionaries() {
    return stream.dictionaries();
  }

  @Override
  public QueryId id() {
    return id;
  }

  @Override
  public Session session() {
    return session;
  }

  @Override
  public Optional<Portable> portable() {
    return portable;
  }

  @Override
  public Schema schema() {
    return stream.schema();
  }

  @Override
  public Cancellation cancellation() {
    return cancellation;
  }

  /** The outcome of a result that was given whole. */
  @Override
  public Outcome done() {
    return new Outcome.Done(rows, bytes);
  }

  /** Closes everything, and says how it ended. Later calls do nothing. */
  @Override
  public void finish(Outcome outcome) {
    close(outcome, onEnd);
  }

  private void close(Outcome outcome, Consumer<Outcome> last) {
    if (!finished.compareAndSet(false, true)) {
      return;
    }
    try {
      stream.close();
    } catch (EngineException _) {
      // The result is over; what closing it says changes nothing for anyone.
    } finally {
      release.accept(outcome);
      last.accept(outcome);
    }
  }

  @Override
  public void abandon() {
    finish(new Outcome.Abandoned());
  }
}
