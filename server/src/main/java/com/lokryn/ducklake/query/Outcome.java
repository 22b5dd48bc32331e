package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.observe.QueryOutcome;

/** How a statement ended; said once, by the one who knows. */
public sealed interface Outcome {
  /** The rows and bytes that were sent, or the rows changed. */
  record Done(long rows, long bytes) implements Outcome {}

  record Cancelled(Problem by) implements Outcome {}

  /**
   * With an error.
   *
   * @param kind of the error, in one word of a few
   */
  record Failed(String kind) implements Outcome {}

  /** Nobody came for the result in time. */
  record Abandoned() implements Outcome {}

  /** What something that was thrown comes to. */
  static Outcome of(Throwable thrown) {
    return switch (thrown) {
      case QueryException e -> new Cancelled(e.problem());
      case EngineException e -> new Failed(e.error().name());
      default -> new Failed("OURS");
    };
  }

  /** The same in one word. */
  default QueryOutcome word() {
    return switch (this) {
      case Done _ -> QueryOutcome.DONE;
      case Cancelled(Problem by) ->
          switch (by) {
            case CANCELLED, KILLED -> QueryOutcome.CANCELLED;
            case TIME_LIMIT, STALLED, LIMIT, UNAVAILABLE -> QueryOutcome.STOPPED;
            case INVALID, UNKNOWN_HANDLE, OUTDATED, UNSUPPORTED, FORBIDDEN -> QueryOutcome.FAILED;
          };
      case Failed _ -> QueryOutcome.FAILED;
      case Abandoned _ -> QueryOutcome.ABANDONED;
    };
  }
}
