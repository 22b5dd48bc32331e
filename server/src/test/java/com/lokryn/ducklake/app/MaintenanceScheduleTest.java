package com.lokryn.ducklake.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.lake.maintenance.Report;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class MaintenanceScheduleTest {
  private static final Report DONE = new Report(Optional.empty(), List.of(), Duration.ZERO);

  @Test
  void itGoesOnAfterAFailureAndWaitsWhileNotWanted() {
    var passes = new AtomicInteger();
    var reports = new AtomicInteger();
    var wanted = new AtomicBoolean();
    try (var schedule =
        new MaintenanceSchedule(
            Duration.ofMillis(5),
            () -> {
              if (passes.incrementAndGet() == 2) {
                throw new EngineException(EngineError.IO, "IO Error: away");
              }
              return DONE;
            },
            wanted::get,
            _ -> reports.incrementAndGet())) {
      schedule.start();
      await().during(Duration.ofMillis(200)).until(() -> passes.get() == 0);
      wanted.set(true);
      await().until(() -> reports.get() >= 3);
      int told = reports.get();
      assertThat(passes.get()).isGreaterThan(told);
    }
    int last = passes.get();
    await().during(Duration.ofMillis(200)).until(() -> passes.get() <= last + 1);
  }
}
