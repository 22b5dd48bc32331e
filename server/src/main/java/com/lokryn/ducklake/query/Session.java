package com.lokryn.ducklake.query;

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

  /** A connection of its own for one statement that neither needs nor leaves state. */
  EngineConnection connect() throws EngineException {
    return connector.connect(namespace);
  }

  /** The workspace, if this session has state that a statement must see. */
  synchronized Optional<Workspace> workspace() {
    if (workspace != null && workspace.isLost()) {
      forgetLostWorkspace();
    }
    return Optional.ofNullable(workspace);
  }

  /** The workspace a statement has to run in: the one there is, or a new one if it needs one. */
  synchronized Optional<Workspace> workspaceFor(SqlText text) throws EngineException {
    if (workspace().isEmpty()
        && (text.isBegin() || text.isTemporaryObject() || text.isConnectionState())) {
      return Optional.of(pin());
    }
    return workspace();
  }

  /** The workspace, made if there was none. */
  synchronized Workspace pin() throws EngineException {
    if (closed) {
      throw new QueryException(Problem.UNKNOWN_HANDLE, "this session has ended");
    }
    if (workspace == null) {
      workspace = new Workspace(connect());
    }
    return workspace;
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

  /** Says that temporary objects were made, so that the workspace has to stay. */
  synchronized void keepWorkspace() {
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

  /** Gives up a workspace that holds nothing any more. */
  synchronized void tidy() {
    if (workspace != null && !transaction && !objects) {
      workspace.finish();
      workspace = null;
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (workspace != null) {
      workspace.close();
      workspace = null;
    }
  }
}
