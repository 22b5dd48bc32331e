package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** A quick client is run ahead of, a slow one is not. */
class SendWindowTest {
  private static final long BATCH = 3_500_000;
  private static final long MS = 1_000_000;

  private final AtomicLong now = new AtomicLong();
  private final AtomicInteger streams = new AtomicInteger(1);
  private final AtomicInteger calls = new AtomicInteger();
  private final SendWindow window = new SendWindow(streams::get, now::get, calls::incrementAndGet);

  private int waiting;

  /** Sends until there is no room. Returns how many batches that were. */
  private int fill() {
    int sent = 0;
    while (window.hasRoom()) {
      window.sent(BATCH);
      sent++;
    }
    waiting += sent;
    return sent;
  }

  private void take() {
    window.taken(BATCH);
    waiting--;
  }

  @Test
  void oneBatchWaitsForAClientThatHasTakenNothing() {
    assertThat(fill()).isEqualTo(1);
    assertThat(calls).hasValue(0);
  }

  @Test
  void batchesWaitForAClientThatTakesThem() {
    for (int i = 0; i < 10; i++) {
      fill();
      now.addAndGet(7 * MS);
      take();
    }
    // Four are 14 MB, which is less than 14 MiB.
    assertThat(waiting).isEqualTo(4);
    assertThat(fill()).isEqualTo(1);
  }

  @Test
  void whatWasTakenIsForgotten() {
    for (int i = 0; i < 10; i++) {
      fill();
      take();
    }
    while (waiting > 0) {
      now.addAndGet(200 * MS);
      take();
    }
    now.addAndGet(200 * MS);
    assertThat(fill()).isEqualTo(1);
  }

  @Test
  void manyStreamsShareWhatMayWait() {
    streams.set(1_000);
    for (int i = 0; i < 10; i++) {
      assertThat(fill()).isEqualTo(1);
      window.taken(BATCH);
    }
  }

  @Test
  void roomIsToldOfOnceToWhoWaitsForIt() {
    window.sent(BATCH);
    window.taken(BATCH);
    assertThat(calls).hasValue(0);
    fill();
    window.taken(BATCH);
    window.taken(0);
    assertThat(calls).hasValue(1);
  }

  @Test
  void nobodyIsToldWhileThereIsNoRoom() {
    streams.set(1_000);
    window.sent(BATCH);
    window.sent(BATCH);
    assertThat(window.hasRoom()).isFalse();
    window.taken(BATCH);
    assertThat(calls).hasValue(0);
    window.taken(BATCH);
    assertThat(calls).hasValue(1);
  }
}
