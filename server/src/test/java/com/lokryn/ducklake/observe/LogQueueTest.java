package com.lokryn.ducklake.observe;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.AppenderBase;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class LogQueueTest {
  private final LoggerContext context = new LoggerContext();
  private final Semaphore reading = new Semaphore(0);
  private final List<String> written = new CopyOnWriteArrayList<>();
  private final LogQueue queue = new LogQueue();

  private void start() {
    context.setMDCAdapter(new LogbackMDCAdapter());
    var stuck =
        new AppenderBase<ILoggingEvent>() {
          @Override
          protected void append(ILoggingEvent event) {
            // The end of the queue interrupts its thread; a write to a pipe goes on.
            reading.acquireUninterruptibly();
            written.add(event.getMessage());
          }
        };
    stuck.setContext(context);
    stuck.start();
    queue.setContext(context);
    queue.addAppender(stuck);
    queue.start();
  }

  private void log(int lines) {
    for (int i = 0; i < lines; i++) {
      queue.doAppend(
          new LoggingEvent("test", context.getLogger("test"), Level.INFO, "line " + i, null, null));
    }
  }

  @Test
  void nobodyWaitsForAPipeThatNobodyReadsAndLostLinesAreCounted() {
    start();
    long before = LogQueue.dropped();
    long began = System.nanoTime();
    int lines = 3 * LogQueue.MAX_LINES;
    log(lines);
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
    // What is on its way already makes room once.
    long dropped = LogQueue.dropped() - before;
    assertThat(dropped).isBetween(LogQueue.MAX_LINES - 1L, 2L * LogQueue.MAX_LINES);
    reading.release(100_000);
    queue.stop();
    assertThat(written).hasSize((int) (lines - dropped));
  }

  @Test
  void writesAllThatWaitsAtTheEnd() {
    reading.release(100_000);
    start();
    log(5_000);
    queue.stop();
    assertThat(written).hasSize(5_000).startsWith("line 0").endsWith("line 4999");
  }
}
