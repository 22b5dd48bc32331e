package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.app.LakeMaintenance;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.lake.maintenance.Report;
import com.lokryn.ducklake.lake.maintenance.StepResult;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Runs a pass, and prints a line for each step. */
final class MaintainReport {
  private MaintainReport() {}

  /** Returns the exit code. */
  static int of(LakeMaintenance maintenance, ServerConfig config, boolean dryRun)
      throws StartException, InterruptedException {
    if (dryRun) {
      ServeRun.printLine("Nothing is changed. A pass would have:");
    }
    Report report = inThreadOfEngine(maintenance, config, dryRun);
    if (report.leader().isPresent()) {
      ServeRun.printLine(
          "  nothing done: another process maintains this lake, %s"
              .formatted(report.leader().get()));
      return ExitCode.DONE;
    }
    if (!report.isOk()) {
      return ExitCode.DEPENDENCY;
    }
    ServeRun.printLine(
        dryRun
            ? "  (of what is there now: what a step does may give others more to do)"
            : "✓ the lake is maintained%s"
                .formatted(report.hasMore() ? "; there is more for the next pass" : ""));
    return ExitCode.DONE;
  }

  /** DuckDB's planner needs more of a stack than the main thread has. */
  private static Report inThreadOfEngine(
      LakeMaintenance maintenance, ServerConfig config, boolean dryRun)
      throws StartException, InterruptedException {
    var task =
        new FutureTask<>(
            () ->
                maintenance.run(
                    dryRun, config.get(Settings.SNAPSHOT_RETENTION), step -> print(step, dryRun)));
    EngineThreads.factory("maintenance").newThread(task).start();
    try {
      return task.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case StartException start -> throw start;
        case EngineException failure ->
            throw ServeRun.failed(
                failure.isInstanceLost() ? ExitCode.INTERNAL : ExitCode.DEPENDENCY, failure.text());
        case null, default -> throw new IllegalStateException(e.getCause());
      }
    }
  }

  private static void print(StepResult step, boolean dryRun) {
    String mark = step.hasFailed() ? "✗" : dryRun ? " " : "✓";
    String problem = step.problem().map(found -> ": " + VisibleText.lines(found.text())).orElse("");
    ServeRun.printLine("%s %-8s %s%s".formatted(mark, step.step().id(), step.text(), problem));
  }
}
