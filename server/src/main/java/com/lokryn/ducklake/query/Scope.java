package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.gate.StoredObjects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The transaction that a statement runs in by itself: what was looked at before it, it sees. Used
 * by one thread at a time.
 */
final class Scope {
  /**
   * What a transaction sees.
   *
   * @param objects that the catalog has stored in the snapshot
   */
  record Sight(long snapshot, StoredObjects objects) {}

  private static final Scope NONE = new Scope(null, false);

  private final boolean readOnly;
  private @Nullable EngineConnection connection;
  private @Nullable Sight sight;

  private Scope(@Nullable EngineConnection connection, boolean readOnly) {
    this.connection = connection;
    this.readOnly = readOnly;
  }

  /** For a statement that is in a transaction of its session's, or in none. */
  static Scope none() {
    return NONE;
  }

  static Scope begin(EngineConnection connection, boolean readOnly) throws EngineException {
    connection.begin(readOnly);
    return new Scope(connection, readOnly);
  }

  /**
   * Goes on in a transaction that an earlier read has left open.
   *
   * @param seen what is seen in it
   */
  static Scope resume(EngineConnection connection, Sight seen) {
    var scope = new Scope(connection, true);
    scope.sees(seen);
    return scope;
  }

  /** Notes what is seen in it. */
  void sees(Sight seen) {
    sight = seen;
  }

  /** What is seen in it; empty for one that is not the statement's own. */
  Optional<Sight> sight() {
    return Optional.ofNullable(sight);
  }

  /** True while it has a transaction that has to be ended. */
  boolean isOpen() {
    return connection != null;
  }

  /**
   * Leaves it open for another read, and gives its connection back with it. Only after a statement
   * that has ended well and left nothing behind.
   *
   * @return false when it is not one of those that others can go on in
   */
  boolean leave() {
    EngineConnection open = connection;
    Sight seen = sight;
    if (open == null || seen == null || !readOnly) {
      return false;
    }
    connection = null;
    open.giveBackReading(seen.snapshot());
    return true;
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
