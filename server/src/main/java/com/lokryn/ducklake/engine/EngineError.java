package com.lokryn.ducklake.engine;

import java.util.Arrays;
import java.util.List;

/**
 * What kind of failure the engine reported. DuckDB's driver gives neither SQLSTATE nor code, only a
 * text that starts with the exception's name, so that name is what tells the kinds apart.
 */
public enum EngineError {
  SYNTAX("Parser Error"),
  /** The lake's catalog could not be asked while a statement was planned. */
  PLAN_LOST("Binder Error", "from DuckLake: Failed to prepare query \""),
  BINDER("Binder Error"),
  /** The lake's tables of inlined rows are not those that this engine knows: see RemoteLake. */
  TABLE_STALE("Catalog Error", "Table with name ducklake_inlined_data_"),
  CATALOG_STALE("Invalid Error", "relation \"public.ducklake_inlined_data_"),
  /** A table, schema, function or type that is not there. */
  MISSING("Catalog Error", "does not exist", "No catalog + schema named"),
  EXISTS("Catalog Error", "already exists"),
  CATALOG("Catalog Error"),
  CONVERSION("Conversion Error"),
  OUT_OF_RANGE("Out of Range Error"),
  MISMATCH("Mismatch Type Error"),
  CONSTRAINT("Constraint Error"),
  PERMISSION("Permission Error"),
  /** All connections to the lake's catalog are in use. */
  CATALOG_BUSY("Invalid Error", "Connection pool timeout"),
  /** The transaction of someone who may only read. */
  READ_ONLY("TransactionContext Error", "launched in read-only mode"),
  /** Two transactions changed the same thing; the later one may be run again. */
  CONFLICT(
      "TransactionContext Error",
      "conflict",
      "deadlock detected",
      "could not serialize",
      "maximum retry count",
      // DuckLake 1.5.5, when other tables are made and dropped at the same time: nothing was
      // committed.
      "Failed to get path for schema with id"),
  /** The lake's catalog went away while it was told to commit. */
  COMMIT_LOST(
      "TransactionContext Error",
      "Failed to execute query \"",
      "Unable to connect to Postgres",
      "server closed the connection",
      "terminating connection",
      "no connection to the server",
      "could not receive data",
      "could not send data",
      "Connection pool timeout"),
  /** There was no memory left for a commit, which has ended. */
  COMMIT_OUT_OF_MEMORY("TransactionContext Error", "failed to allocate", "could not allocate"),
  /** It has ended already, or was never begun. */
  NO_TRANSACTION("TransactionContext Error", "no transaction is active"),
  TRANSACTION("TransactionContext Error"),
  WRITE_CONFLICT("Transaction Error", "conflict"),
  INTERRUPTED("INTERRUPT Error"),
  OUT_OF_MEMORY("Out of Memory Error"),
  HTTP("HTTP Error"),
  IO("IO Error"),
  /** The lake's catalog, in the words of whichever part asked it. */
  CATALOG_LOST(
      "Invalid Error",
      "Unable to connect to Postgres",
      "server closed the connection",
      "terminating connection",
      "no connection to the server",
      "could not receive data",
      "could not send data",
      "Failed to execute query \"",
      "Failed to query most recent snapshot"),
  CONNECTION("Connection Error"),
  /** The instance was closed under the statement. */
  CLOSED("Connection was closed"),
  NOT_IMPLEMENTED("Not implemented Error"),
  /** A setting is closed to SQL. */
  LOCKED("Invalid Input Error", "configuration has been locked"),
  INVALID_INPUT("Invalid Input Error"),
  INVALID_TYPE("Invalid type Error"),
  INVALID_CONFIGURATION("Invalid Configuration Error"),
  DEPENDENCY("Dependency Error"),
  PARAMETER("Parameter Not Allowed Error"),
  /** A bug in the engine. DuckDB refuses all further work of the instance after these two. */
  INTERNAL("INTERNAL Error"),
  FATAL("FATAL Error"),
  /** A type or a value that Arrow cannot carry. */
  UNREPRESENTABLE(""),
  UNKNOWN("");

  private final String prefix;

  @SuppressWarnings("ImmutableEnumChecker") // List.of is immutable, its type does not say so
  private final List<String> marks;

  EngineError(String prefix, String... marks) {
    this.prefix = prefix;
    this.marks = List.of(marks);
  }

  /** True when another transaction changed the same first: the same may be tried again. */
  public boolean isConflict() {
    return this == CONFLICT || this == WRITE_CONFLICT;
  }

  /** True when there was no memory for a statement, which another one may have had. */
  public boolean isShortage() {
    return this == OUT_OF_MEMORY || this == COMMIT_OUT_OF_MEMORY;
  }

  /** True when the instance that raised it takes no further work and has to be opened anew. */
  public boolean isInstanceLost() {
    return this == FATAL || this == INTERNAL;
  }

  /** True when the connection to the lake's catalog has gone. */
  public boolean isOfCatalogConnection() {
    return this == CATALOG_LOST || this == COMMIT_LOST || this == PLAN_LOST;
  }

  /**
   * True when it may come of a transaction that was open for a while, rather than of what was done
   * in it last: its connection to the catalog has gone, or what it saw there.
   */
  public boolean mayBeOfTransaction() {
    return switch (this) {
      case TABLE_STALE,
          CATALOG_STALE,
          CATALOG_BUSY,
          CATALOG_LOST,
          PLAN_LOST,
          COMMIT_LOST,
          CONFLICT,
          NO_TRANSACTION,
          TRANSACTION,
          CONNECTION,
          CLOSED,
          IO,
          UNKNOWN ->
          true;
      case SYNTAX,
          BINDER,
          MISSING,
          EXISTS,
          CATALOG,
          CONVERSION,
          OUT_OF_RANGE,
          MISMATCH,
          CONSTRAINT,
          PERMISSION,
          READ_ONLY,
          COMMIT_OUT_OF_MEMORY,
          WRITE_CONFLICT,
          INTERRUPTED,
          OUT_OF_MEMORY,
          HTTP,
          NOT_IMPLEMENTED,
          LOCKED,
          INVALID_INPUT,
          INVALID_TYPE,
          INVALID_CONFIGURATION,
          DEPENDENCY,
          PARAMETER,
          INTERNAL,
          FATAL,
          UNREPRESENTABLE ->
          false;
    };
  }

  static EngineError of(String text) {
    return Arrays.stream(values()).filter(error -> error.matches(text)).findFirst().orElse(UNKNOWN);
  }

  private boolean matches(String text) {
    return !prefix.isEmpty()
        && text.startsWith(prefix)
        && (marks.isEmpty() || marks.stream().anyMatch(text::contains));
  }
}
