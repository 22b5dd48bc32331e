package com.lokryn.ducklake.query;

/** How a statement ended; said once, by the one who knows. */
public sealed interface Outcome {
  /** The rows and bytes that were sent, or the rows changed. */
  record Done(long rows, long bytes) implements Outcome {}

  record Cancelled(Problem by) implements Outcome {}

  record Failed(String text) implements Outcome {}

  /** Nobody came for the result in time. */
  record Abandoned() implements Outcome {}

  default String word() {
    return switch (this) {
      case Done _ -> "done";
      case Cancelled _ -> "cancelled";
      case Failed _ -> "failed";
      case Abandoned _ -> "abandoned";
    };
  }
}
