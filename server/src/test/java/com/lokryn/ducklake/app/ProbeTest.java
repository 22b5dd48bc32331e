package com.lokryn.ducklake.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.app.Probe.Timing;
import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.observe.Readiness;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** When a probe calls what it tries not ready: with a clock and a thread that the test drives. */
class ProbeTest {
  private static final long TICK_MS = 100;

  private final Readiness readiness = new Readiness();
  private final Deque<Runnable> thread = new ArrayDeque<>();
  private boolean works = true;
  private long nowMs = 1_000;
  private int attempts;

  private final Probe probe =
      new Probe(
          List.of(CheckId.S3_GET),
          this::attempt,
          Timing.USUAL,
          thread::add,
          readiness,
          () -> TimeUnit.MILLISECONDS.toNanos(nowMs));

  private void attempt() throws ProbeException {
    attempts++;
    if (!works) {
      throw new ProbeException("gone", "the text of the service");
    }
  }

  /** What was begun ends, with what works now. */
  private void answer() {
    Runnable begun = thread.poll();
    if (begun != null) {
      begun.run();
    }
  }

  /** Lets time pass, with each attempt ending at once. */
  private void pass(Duration time) {
    for (long end = nowMs + time.toMillis(); nowMs < end; nowMs += TICK_MS) {
      probe.tick();
      answer();
    }
  }

  /** Lets time pass in which no attempt ends. */
  private void hang(Duration time) {
    for (long end = nowMs + time.toMillis(); nowMs < end; nowMs += TICK_MS) {
      probe.tick();
    }
  }

  @Test
  void isNotReadyBeforeTheFirstAttempt() {
    assertThat(readiness.isReady()).isFalse();
    assertThat(probe.first().getCount()).isOne();
    pass(Duration.ofMillis(TICK_MS));
    assertThat(readiness.isReady()).isTrue();
    assertThat(probe.first().getCount()).isZero();
  }

  @Test
  void triesEveryThreeSeconds() {
    pass(Duration.ofSeconds(30));
    assertThat(attempts).isEqualTo(10);
  }

  @Test
  void oneFailureIsAHiccup() {
    pass(Duration.ofMillis(TICK_MS));
    works = false;
    while (attempts < 2) {
      pass(Duration.ofMillis(TICK_MS));
    }
    assertThat(readiness.isReady()).isTrue();
    works = true;
    pass(Duration.ofSeconds(30));
    assertThat(readiness.isReady()).isTrue();
  }

  @Test
  void turnsWithTheSecondFailureInARowAndIsBackWithTheFirstSuccess() {
    pass(Duration.ofMillis(TICK_MS));
    works = false;
    long gone = nowMs;
    while (readiness.isReady()) {
      pass(Duration.ofMillis(TICK_MS));
    }
    assertThat(nowMs - gone).isBetween(1_000L, 4_200L);
    assertThat(readiness.state().conditions().getFirst().detail()).isEqualTo("gone");
    pass(Duration.ofSeconds(10));
    works = true;
    long back = nowMs;
    while (!readiness.isReady()) {
      pass(Duration.ofMillis(TICK_MS));
    }
    assertThat(nowMs - back).isLessThanOrEqualTo(1_200L);
  }

  @Test
  void turnsWhenAnAttemptHangsAndBeginsNoOtherBesideIt() {
    pass(Duration.ofMillis(TICK_MS));
    long gone = nowMs;
    while (readiness.isReady()) {
      hang(Duration.ofMillis(TICK_MS));
    }
    assertThat(nowMs - gone).isBetween(5_000L, 8_200L);
    assertThat(readiness.state().conditions().getFirst().detail())
        .isEqualTo("no answer within 5000 ms");
    hang(Duration.ofMinutes(2));
    assertThat(thread).hasSize(1);
    // The one that hung ends well at last: too late to count, but another is begun at once.
    answer();
    assertThat(readiness.isReady()).isFalse();
    probe.tick();
    assertThat(thread).hasSize(1);
    answer();
    assertThat(readiness.isReady()).isTrue();
  }

  @Test
  void turnsWhenFailuresTakeLong() {
    pass(Duration.ofMillis(TICK_MS));
    works = false;
    long gone = nowMs;
    while (readiness.isReady()) {
      hang(Duration.ofMillis(4_500));
      answer();
    }
    assertThat(nowMs - gone).isLessThanOrEqualTo(9_000L);
  }

  @Test
  void aFaultOfOursCountsAsAFailure() {
    var broken =
        new Probe(
            List.of(CheckId.CATALOG),
            () -> {
              throw new IllegalStateException("planted by a test");
            },
            Timing.USUAL,
            Runnable::run,
            readiness,
            () -> TimeUnit.MILLISECONDS.toNanos(nowMs));
    broken.tick();
    nowMs += 2_000;
    broken.tick();
    assertThat(readiness.state().conditions().getFirst().isOk()).isFalse();
    assertThat(readiness.state().conditions().getFirst().detail()).doesNotContain("planted");
  }
}
