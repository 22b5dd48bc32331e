package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The transaction that a statement runs in by itself: what was looked at before it, it sees. Used
 * by one thread at a time.
 */
final class Scope {
  private static final Scope NONE = new Scope(null);

  private @Nullable EngineConnection connection;
  private OptionalLong stableAt = OptionalLong.empty();

  private Scope(@Nullable EngineConnection connection) {
    this.connection = connection;
  }

  /** For a statement that is in a transaction of its session's, or in none. */
  static Scope none() {
    return NONE;
  }

  static Scope begin(EngineConnection connection, boolean readOnly) throws EngineException {
    connection.begin(readOnly);
    return new Scope(connection);
  }

  /** Notes that the statement gives always the same rows of the snapshot that is seen here. */
  void stableAt(long snapshot) {
    stableAt = OptionalLong.of(snapshot);
  }

  /** The snapshot that the statement's rows are a function of; empty where they may vary. */
  OptionalLong stableAt() {
    return stableAt;
  }

  /** True while it has a transaction that has to be ended. */
  boolean isOpen() {
    return connection != null;
  }

  /** Ends it well. */
  void commit() throws EngineException {
    EngineConnection open = connection;
    if (open != null) {
      connection = null;
      try {
        open.commit();
      } catch (EngineException e) {
        // One that has failed may be open yet.
        open.rollBack(e);
        throw e;
      }
    }
  }

  /** Ends it after a failure, which keeps what that says. */
  void rollBack(Exception failure) {
    EngineConnection open = connection;
    if (open != null) {
      connection = null;
      open.rollBack(failure);
    }
  }
}
