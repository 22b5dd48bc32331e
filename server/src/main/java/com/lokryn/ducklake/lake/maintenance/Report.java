package com.lokryn.ducklake.lake.maintenance;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a pass has come to.
 *
 * @param leader the other process that is at it, where nothing was done for that reason
 */
public record Report(Optional<String> leader, List<StepResult> steps, Duration took) {
  /** The steps up to the one that failed, or all. */
  public Report {
    steps = List.copyOf(steps);
  }

  /** Did it go as it should, be it that there was nothing to do? */
  public boolean isOk() {
    return steps.stream().noneMatch(StepResult::hasFailed);
  }

  /** Is there more to do for the next pass? */
  public boolean hasMore() {
    return steps.stream().anyMatch(StepResult::more);
  }
}
