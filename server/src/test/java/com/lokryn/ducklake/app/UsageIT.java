package com.lokryn.ducklake.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.lokryn.ducklake.observe.Usage;
import com.lokryn.ducklake.testing.TestingLakeServer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What is counted of what clients do. */
class UsageIT {
  @Test
  void countsBytesAndWorkAndNoWaiting() throws Exception {
    try (var server = TestingLakeServer.start();
        var client = server.connect()) {
      Usage usage = server.server().numbers().usage();
      long before = usage.sentBytes();
      client.rows("SELECT i FROM range(1_000_000) r(i)");
      assertThat(usage.sentBytes() - before).isBetween(8_000_000L, 8_500_000L);
      long worked = usage.workNanos();
      try (var stream = client.open("SELECT i FROM range(30_000_000) r(i)")) {
        assertThat(stream.next()).isTrue();
        // Far more than the transport takes: the rest waits for its client.
        var _ = new CountDownLatch(1).await(1, TimeUnit.SECONDS);
        long stalled = usage.workNanos();
        var _ = new CountDownLatch(1).await(1, TimeUnit.SECONDS);
        assertThat(usage.workNanos()).isEqualTo(stalled).isGreaterThan(worked);
        stream.cancel("enough", null);
      }
    }
  }

  @Test
  void countsWhatFails() throws Exception {
    try (var server = TestingLakeServer.start();
        var client = server.connect()) {
      Usage usage = server.server().numbers().usage();
      long before = usage.workNanos();
      assertThatThrownBy(
              () ->
                  client.rows(
                      "SELECT CASE WHEN sum(sqrt(i)) > 0 THEN error('over') END"
                          + " FROM range(100_000_000) r(i)"))
          .hasMessageContaining("over");
      assertThat(usage.workNanos() - before).isGreaterThan(Duration.ofMillis(50).toNanos());
    }
  }
}
