package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A connection that outlives a statement because it holds state: a transaction, temporary objects,
 * variables. Its statements run one after the other; a result that is still being read when the
 * next one starts is taken into memory. Thread-safe.
 *
 * <p>Locks are taken in one order: first the workspace's turn, then its session's.
 */
final class Workspace implements AutoCloseable {
  /** Work on the connection, alone on it. */
  interface Work<T> {
    T run(EngineConnection connection) throws EngineException;
  }

  private final EngineConnection connection;
  private final BooleanSupplier releaseIfIdle;
  private final Turns turns = new Turns();
  private final AtomicReference<@Nullable Cancellation> running = new AtomicReference<>();

  /** Whoever has the turn looks at these two. */
  private @Nullable SpoolableStream open;

  /** The transaction of the stream that was lent last. */
  private Scope scope = Scope.none();

  private boolean finished;
  private volatile boolean ended;

  /**
   * @param releaseIfIdle asked after each statement: true when nothing is left to keep the
   *     connection for, and nobody will look for this workspace any more
   */
  Workspace(EngineConnection connection, BooleanSupplier releaseIfIdle) {
    this.connection = connection;
    this.releaseIfIdle = releaseIfIdle;
  }

  /**
   * Runs work alone on the connection, when an earlier result no longer needs it.
   *
   * @return empty when the workspace was finished while the caller waited: look for it again
   */
  <T> Optional<T> run(Cancellation cancellation, Work<T> work) throws EngineException {
    turns.enter(cancellation);
    try {
      running.set(cancellation);
      if (ended) {
        throw endedReason();
      }
      if (finished) {
        return Optional.empty();
      }
      spoolOpen(cancellation);
      settle();
      try {
        return Optional.of(work.run(connection));
      } finally {
        if (releaseIfIdle.getAsBoolean()) {
          finished = true;
          spoolOpen(new Cancellation());
          connection.close();
        }
      }
    } finally {
      running.set(null);
      turns.leave();
    }
  }

  /** Lets a stream that {@link Work} has opened be read while the workspace goes on. */
  BatchStream lend(BatchStream stream, Scope reading, Cancellation cancellation) {
    var lent = new SpoolableStream(stream, connection, cancellation);
    open = lent;
    scope = reading;
    return lent;
  }

  /** Ends the transaction that a result was read in, once nobody reads it any more. */
  private void settle() {
    var _ = Session.isCommitted(scope);
    scope = Scope.none();
  }

  /**
   * The same when a result has been read, so that it holds no connection to the catalog; where a
   * statement waits or runs, that one does it first.
   */
  void settleIfIdle() {
    if (turns.enterIfFree()) {
      try {
        if (!ended && (open == null || open.isOver())) {
          open = null;
          settle();
        }
      } finally {
        turns.leave();
      }
    }
  }

  /** True when its connection went away with the engine. */
  boolean isLost() {
    return !ended && connection.isClosed();
  }

  private void spoolOpen(Cancellation cancellation) {
    SpoolableStream earlier = open;
    if (earlier != null) {
      earlier.spool(cancellation);
      open = null;
    }
  }

  private static QueryException endedReason() {
    return new QueryException(Problem.UNKNOWN_HANDLE, ENDED);
  }

  private static final String ENDED = "the session or transaction of this statement has ended";

  /**
   * Ends the workspace; an open transaction is rolled back, temporary objects are gone. What runs
   * in it is cancelled first, and waited for.
   */
  @Override
  public void close() {
    ended = true;
    Cancellation current = running.get();
    if (current != null) {
      current.cancel(Problem.UNKNOWN_HANDLE, ENDED);
    }
    turns.enterFirst();
    try {
      SpoolableStream earlier = open;
      if (earlier != null) {
        earlier.abort(endedReason());
        open = null;
      }
      connection.close();
    } finally {
      turns.leave();
    }
  }
}
