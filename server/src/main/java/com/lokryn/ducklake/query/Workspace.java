package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A connection that outlives a statement because it holds state: a transaction, temporary objects,
 * variables. Its statements run one after the other; a result that is still being read when the
 * next one starts is taken into memory. Thread-safe.
 */
public final class Workspace implements AutoCloseable {
  /** Work on the connection, alone on it. */
  interface Work<T> {
    T run(EngineConnection connection) throws EngineException;
  }

  private final EngineConnection connection;
  private final ReentrantLock lock = new ReentrantLock();
  private @Nullable SpoolableStream open;
  private boolean closed;

  Workspace(EngineConnection connection) {
    this.connection = connection;
  }

  /** Runs work alone on the connection, when an earlier result no longer needs it. */
  <T> T run(Work<T> work) throws EngineException {
    lock.lock();
    try {
      if (closed) {
        throw ended();
      }
      if (open != null) {
        open.spool();
        open = null;
      }
      return work.run(connection);
    } finally {
      lock.unlock();
    }
  }

  /** Lets a stream that {@link Work} has opened be read while the workspace goes on. */
  BatchStream lend(BatchStream stream) {
    var lent = new SpoolableStream(stream);
    open = lent;
    return lent;
  }

  /** True when its connection went away with the engine. */
  boolean isLost() {
    return connection.isClosed();
  }

  /** Ends a workspace that holds nothing any more; a result still being read stays readable. */
  void finish() {
    lock.lock();
    try {
      if (open != null) {
        open.spool();
        open = null;
      }
      closed = true;
      connection.close();
    } finally {
      lock.unlock();
    }
  }

  private static QueryException ended() {
    return new QueryException(
        Problem.UNKNOWN_HANDLE, "the session or transaction of this statement has ended");
  }

  /** Ends the workspace; an open transaction is rolled back, temporary objects are gone. */
  @Override
  public void close() {
    connection.interrupt();
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      if (open != null) {
        open.abort(ended());
        open = null;
      }
      connection.close();
    } finally {
      lock.unlock();
    }
  }
}
