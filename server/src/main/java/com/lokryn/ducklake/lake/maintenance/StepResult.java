package com.lokryn.ducklake.lake.maintenance;

import java.time.Duration;
import java.util.Optional;

/**
 * What a step has done, or would do.
 *
 * @param done how much, in what the step counts
 * @param text the same in words
 * @param more is there more for the next pass?
 * @param problem what kept it from doing all of that
 */
public record StepResult(
    Step step, long done, String text, boolean more, Optional<Problem> problem, Duration took) {

  /**
   * What was in the way.
   *
   * @param passing somebody else was first: the next pass tries again
   */
  public record Problem(String text, boolean passing) {}

  /** Did it not do what it should, for a reason that does not pass by itself? */
  public boolean hasFailed() {
    return problem.filter(found -> !found.passing()).isPresent();
  }
}
