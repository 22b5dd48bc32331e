package com.lokryn.ducklake.app;

import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.lake.maintenance.Report;
import com.lokryn.ducklake.lake.maintenance.StepResult;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/** Has a server maintain its lake every so often, in a thread that gives way to all others. */
final class MaintenanceSchedule implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MaintenanceSchedule.class);

  /** One pass. */
  interface Pass {
    Report run() throws StartException, EngineException;
  }

  private final CountDownLatch stop = new CountDownLatch(1);
  private final Duration interval;
  private final Pass pass;
  private final BooleanSupplier isWanted;
  private final Consumer<Report> onReport;
  private final Thread thread;

  /**
   * @param interval between the end of a pass and the next
   * @param isWanted asked before each; false skips it
   * @param onReport told of each
   */
  MaintenanceSchedule(
      Duration interval, Pass pass, BooleanSupplier isWanted, Consumer<Report> onReport) {
    this.interval = interval;
    this.pass = pass;
    this.isWanted = isWanted;
    this.onReport = onReport;
    thread = EngineThreads.patientFactory("maintenance").newThread(this::work);
  }

  void start() {
    thread.start();
  }

  private void work() {
    try {
      while (!stop.await(pauseMs(), TimeUnit.MILLISECONDS)) {
        if (isWanted.getAsBoolean()) {
          once();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Servers that were started together do not all begin at once. */
  private long pauseMs() {
    long whole = interval.toMillis();
    return whole + ThreadLocalRandom.current().nextLong(Math.max(1, whole / 10));
  }

  private void once() {
    try {
      Report report = pass.run();
      log(report);
      onReport.accept(report);
    } catch (StartException | EngineException | RuntimeException e) {
      if (stop.getCount() > 0) {
        LOG.atWarn().addKeyValue("error", e.getMessage()).log("the lake could not be maintained");
      }
    }
  }

  private static void log(Report report) {
    if (report.leader().isPresent()) {
      LOG.atInfo()
          .addKeyValue("leader", report.leader().get())
          .log("another process maintains the lake");
      return;
    }
    LoggingEventBuilder event = report.isOk() ? LOG.atInfo() : LOG.atWarn();
    for (StepResult step : report.steps()) {
      event = event.addKeyValue(step.step().id(), step.done());
      if (step.problem().isPresent()) {
        event = event.addKeyValue(step.step().id() + "_problem", step.problem().get().text());
      }
    }
    event
        .addKeyValue("more", report.hasMore())
        .addKeyValue("ms", report.took().toMillis())
        .log("the lake was maintained");
  }

  @Override
  public void close() {
    stop.countDown();
  }
}
