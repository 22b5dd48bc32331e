package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.SqlText;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one client has set up: where its names are looked up, and, once it makes something that only
 * its own connection can see (a transaction, a temporary table), the {@link Workspace} that holds
 * it. Thread-safe.
 */
public final class Session implements AutoCloseable {
  /** Opens a connection of the engine. */
  public interface Connector {
    EngineConnection connect(Namespace namespace) throws EngineException;
  }

  /** Where a statement runs: on a connection of its own, or on the session's. */
  static final class Place {
    private final EngineConnection connection;
    private final @Nullable Workspace workspace;

    private Place(EngineConnection connection, @Nullable Workspace workspace) {
      this.connection = connection;
      this.workspace = workspace;
    }

    EngineConnection connection() {
      return connection;
    }

    /** True when the connection is the statement's own, to be kept or {@link #release}d by it. */
    boolean isOwn() {
      return workspace == null;
    }

    /** A stream of this connection that may be read after the work here is over. */
    BatchStream keep(BatchStream stream) {
      return workspace == null ? stream : workspace.lend(stream);
    }

    /**
     * Ends the use of a connection of one's own; the session's stays.
     *
     * @param clean true when nothing of the statement is left in the connection
     */
    void release(boolean clean) {
      if (workspace != null) {
        return;
      }
      if (clean) {
        connection.giveBack();
      } else {
        connection.close();
      }
    }
  }

  /** What a statement does in its place. When it fails, an own connection is closed for it. */
  interface Work<T> {
    T run(Place place) throws EngineException;
  }

  private final String id;
  private final Connector connector;
  private volatile Namespace namespace;
  private @Nullable Workspace workspace;
  private boolean transaction;
  private boolean objects;
  private boolean closed;

  Session(String id, Namespace namespace, Connector connector) {
    this.id = id;
    this.namespace = namespace;
    this.connector = connector;
  }

  public String id() {
    return id;
  }

  public Namespace namespace() {
    return namespace;
  }

  /** Runs work where it sees what this session has made. */
  <T> T run(Work<T> work) throws EngineException {
    return run(false, work);
  }

  /** Runs a statement; one that makes state of a connection's makes the session keep one. */
  <T> T run(SqlText text, Work<T> work) throws EngineException {
    return run(text.isBegin() || text.isTemporaryObject() || text.isConnectionState(), work);
  }

  /** Runs work on the session's connection, which it then keeps. */
  <T> T runKeeping(Work<T> work) throws EngineException {
    return run(
        true,
        place -> {
          keepObjects();
          return work.run(place);
        });
  }

  private <T> T run(boolean makesState, Work<T> work) throws EngineException {
    while (true) {
      Optional<Workspace> shared = workspace(makesState);
      if (shared.isEmpty()) {
        return runAlone(work);
      }
      Workspace found = shared.get();
      Optional<T> result = found.run(connection -> work.run(new Place(connection, found)));
      if (result.isPresent()) {
        return result.get();
      }
    }
  }

  private <T> T runAlone(Work<T> work) throws EngineException {
    EngineConnection connection = connector.connect(namespace);
    try {
      return work.run(new Place(connection, null));
    } catch (EngineException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /** True when statements have to run on the session's own connection. */
  synchronized boolean hasState() {
    return workspace != null;
  }

  private synchronized Optional<Workspace> workspace(boolean make) throws EngineException {
    if (closed) {
      throw new QueryException(Problem.UNKNOWN_HANDLE, "this session has ended");
    }
    if (workspace != null && workspace.isLost()) {
      forgetLostWorkspace();
    }
    if (workspace == null && make) {
      workspace = new Workspace(connector.connect(namespace), this::releaseIfIdle);
    }
    return Optional.ofNullable(workspace);
  }

  /**
   * Temporary objects are gone with an engine that was lost; a transaction is not lost silently.
   */
  private void forgetLostWorkspace() {
    boolean inTransaction = transaction;
    workspace = null;
    transaction = false;
    objects = false;
    if (inTransaction) {
      throw new QueryException(
          Problem.UNAVAILABLE,
          "the transaction was lost because the engine had to be opened anew: begin it again");
    }
  }

  private synchronized boolean releaseIfIdle() {
    if (transaction || objects) {
      return false;
    }
    workspace = null;
    return true;
  }

  private synchronized void keepObjects() {
    objects = true;
  }

  /** Follows what a statement that has run has changed. */
  synchronized void ran(SqlText text, EngineConnection connection) throws EngineException {
    if (text.isUse()) {
      namespace = connection.namespace();
    } else if (text.isBegin()) {
      transaction = true;
    } else if (text.isEnd()) {
      transaction = false;
    } else if (text.isTemporaryObject() || text.isConnectionState()) {
      objects = true;
    }
  }

  @Override
  public void close() {
    Workspace ending;
    synchronized (this) {
      closed = true;
      ending = workspace;
      workspace = null;
    }
    if (ending != null) {
      ending.close();
    }
  }
}
