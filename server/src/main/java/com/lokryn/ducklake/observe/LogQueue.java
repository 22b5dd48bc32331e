package com.lokryn.ducklake.observe;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.spi.ILoggingEvent;
import java.util.concurrent.atomic.LongAdder;

/**
 * Lines of the log on their way to standard error, which is a pipe that someone may have stopped
 * reading: nobody waits for that, least of all an event loop. When too many wait, further ones are
 * counted and lost.
 */
final class LogQueue extends AsyncAppender {
  /** Some seconds of a busy server; each takes less than a kilobyte, statements aside. */
  static final int MAX_LINES = 8_192;

  /** How long the end may wait for standard error. */
  private static final int LAST_WAIT_MS = 1_000;

  private static final LongAdder DROPPED = new LongAdder();

  LogQueue() {
    setName("log");
    setQueueSize(MAX_LINES);
    // By itself it would leave out what is below a warning when it is filled to four fifths.
    setDiscardingThreshold(0);
    setNeverBlock(true);
    setMaxFlushTime(LAST_WAIT_MS);
  }

  static long dropped() {
    return DROPPED.sum();
  }

  @Override
  protected synchronized void append(ILoggingEvent event) {
    // Only one at a time puts into the queue, so what has room now finds it.
    if (getRemainingCapacity() == 0) {
      DROPPED.increment();
    } else {
      super.append(event);
    }
  }
}
