package com.lokryn.ducklake.gate;

import com.lokryn.ducklake.access.Role;
import java.util.Optional;
import java.util.Set;

/**
 * What a text says, as far as it can be read from the text alone.
 *
 * @param kind what it does
 * @param name of a temporary view or macro that it makes, of a prepared statement that it makes,
 *     runs or drops by SQL, or the id of what it ends
 * @param references what it refers to
 */
public record Statement(Kind kind, Optional<String> name, References references) {
  /** What a statement does. */
  public enum Kind {
    /** It reads, or shows a plan. */
    READ,
    /** It changes rows, tables, views or schemas, those of the session too. */
    WRITE,
    /** It begins or ends a transaction. */
    TRANSACTION,
    /** It changes the session: where names are looked up, a setting, a variable. */
    SESSION,
    /** It calls a procedure, which may do anything that the procedure does. */
    CALL,
    PREPARE,
    EXECUTE,
    DEALLOCATE,
    /** It ends a statement, whose id is its name. */
    KILL_QUERY,
    /** It ends a session, whose id is its name. */
    KILL_SESSION
  }

  /** Runs in a transaction of its own where there is none: not what begins, ends or forbids one. */
  public boolean isTransactional() {
    return switch (kind) {
      case READ, WRITE, PREPARE, EXECUTE -> true;
      case SESSION -> references.dependsOnCatalog();
      case TRANSACTION, CALL, DEALLOCATE, KILL_QUERY, KILL_SESSION -> false;
    };
  }

  /** What it does may be a commit of the lake. */
  public boolean mayChangeLake() {
    return switch (kind) {
      case READ -> !isReadOnly();
      case WRITE, EXECUTE -> true;
      case SESSION, PREPARE, TRANSACTION, CALL, DEALLOCATE, KILL_QUERY, KILL_SESSION -> false;
    };
  }

  /** False where it certainly calls no procedure, which may do anything to the lake. */
  public boolean mayCallProcedure() {
    return switch (kind) {
      case CALL, EXECUTE -> true;
      case READ -> !isReadOnly();
      default -> false;
    };
  }

  /** Changes nothing, whatever it calls. */
  public boolean isReadOnly() {
    return kind == Kind.READ
        && references.role() == Role.READER
        // A sequence that is temporary goes on by a write.
        && !references.functions().contains("nextval");
  }

  /** True when it ends what somebody else may have begun; the engine knows nothing of it. */
  public boolean isKill() {
    return kind == Kind.KILL_QUERY || kind == Kind.KILL_SESSION;
  }

  /** The tables of the catalog {@code server} that it reads, by their names alone. */
  public Set<String> serverTables() {
    return references.serverTables();
  }

  /** True when what is stored in the catalog decides what it does. */
  public boolean dependsOnCatalog() {
    return kind == Kind.EXECUTE || references.dependsOnCatalog();
  }
}
