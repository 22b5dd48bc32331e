package com.lokryn.ducklake.observe;

/**
 * When the phases of a statement that is over began, in nanoseconds of {@link System#nanoTime}. One
 * that was not reached begins at the end.
 *
 * @param asked when it was sent to wait for its turn
 * @param turn when it had its turn
 * @param planned when its plan was there
 * @param ready when its first batch was there
 * @param end when all was over
 */
public record Phases(long asked, long turn, long planned, long ready, long end) {
  /** When a phase began. */
  public long start(Phase phase) {
    return switch (phase) {
      case QUEUE -> asked;
      case PLAN -> turn;
      case FIRST_BATCH -> planned;
      case STREAM -> ready;
    };
  }

  /** When it was over. */
  public long end(Phase phase) {
    return switch (phase) {
      case QUEUE -> turn;
      case PLAN -> planned;
      case FIRST_BATCH -> ready;
      case STREAM -> end;
    };
  }

  /** How long it took, in nanoseconds. */
  public long nanos(Phase phase) {
    return Math.max(0, end(phase) - start(phase));
  }

  /** How long everything took. */
  public long nanos() {
    return Math.max(0, end - asked);
  }

  /** True when the statement came to that phase. */
  public boolean reached(Phase phase) {
    return switch (phase) {
      case QUEUE, PLAN -> true;
      case FIRST_BATCH, STREAM -> start(phase) != end;
    };
  }
}
