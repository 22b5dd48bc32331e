package com.lokryn.ducklake.lake.maintenance;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.lake.Lake;
import com.lokryn.ducklake.lake.LakeCatalog;
import com.lokryn.ducklake.lake.LakeEngine;
import com.lokryn.ducklake.lake.RemoteLake;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A pass over a lake: its steps one after the other, each in small transactions of its own, so that
 * a pass that was cut off has done what it has done, and the next one goes on.
 */
public final class Maintenance {
  private final LakeEngine engine;
  private final Lake lake;
  private final Limits limits;

  /**
   * @param engine has the lake, and serves nobody else: what goes wrong in it, as the memory that
   *     DuckDB does not give back after it compacts, goes with it
   */
  public Maintenance(LakeEngine engine, Lake lake, Limits limits) {
    this.engine = engine;
    this.lake = lake;
    this.limits = limits;
  }

  /**
   * Does a pass, if no other process is at it.
   *
   * @param dryRun only counts
   * @param onStep told of each step when it has ended
   * @throws EngineException when the lake cannot be asked; what fails in a step is in its result
   */
  public Report run(boolean dryRun, Consumer<StepResult> onStep) throws EngineException {
    long start = System.nanoTime();
    boolean shared = lake instanceof RemoteLake;
    try (EngineConnection asking = engine.connect(LakeCatalog.NAMESPACE);
        var leader = new Leader(engine.connect(LakeCatalog.NAMESPACE))) {
      Metadata metadata = shared ? new Metadata.Shared(asking) : new Metadata.Local(asking);
      if (shared && !leader.tryLead()) {
        return new Report(Optional.of(Leader.other(metadata)), List.of(), since(start));
      }
      try (EngineConnection working = engine.connect(LakeCatalog.NAMESPACE)) {
        var pass =
            new Pass(
                working,
                metadata,
                lake.dataPath(),
                !shared,
                new Fence(metadata),
                limits,
                dryRun,
                shared ? leader::require : () -> {});
        return new Report(Optional.empty(), steps(pass, onStep), since(start));
      }
    }
  }

  private static List<StepResult> steps(Pass pass, Consumer<StepResult> onStep) {
    var results = new ArrayList<StepResult>();
    for (Step step : Step.values()) {
      StepResult result = run(step, pass);
      results.add(result);
      onStep.accept(result);
      if (result.hasFailed()) {
        break;
      }
    }
    return results;
  }

  private static StepResult run(Step step, Pass pass) {
    long start = System.nanoTime();
    try {
      Tally tally = step.run(pass);
      return new StepResult(
          step,
          tally.done(),
          tally.text(),
          tally.more(),
          tally
              .busy()
              .map(
                  tables ->
                      new StepResult.Problem("others' commits came first in " + tables, true)),
          since(start));
    } catch (EngineException e) {
      return new StepResult(
          step,
          0,
          "stopped",
          true,
          Optional.of(new StepResult.Problem(e.text(), e.error().isConflict())),
          since(start));
    }
  }

  private static Duration since(long start) {
    return Duration.ofNanos(System.nanoTime() - start);
  }
}
