package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import java.time.Duration;

/**
 * Runs a statement again that found no memory. The engine has one limit for all statements: one
 * that takes all of it fails, but until then so does whatever else asks for a page. What fails at
 * once is one of these others, and waits until the memory is free again; what had been running for
 * long is taken for the one.
 */
final class Shortage {
  private static final long QUICK_NANOS = Duration.ofSeconds(1).toNanos();
  private static final int MAX_ATTEMPTS = 14;
  private static final long PAUSE_MS = 100;

  private Shortage() {}

  /**
   * Not in a transaction, or beside temporary objects, where a failure has left something behind.
   */
  static <T> T waiting(Session session, Cancellation cancellation, Executions.Work<T> work)
      throws EngineException {
    for (int attempt = 1; ; attempt++) {
      long began = System.nanoTime();
      try {
        return work.run();
      } catch (EngineException e) {
        if (e.error() != EngineError.OUT_OF_MEMORY
            || attempt == MAX_ATTEMPTS
            || System.nanoTime() - began > QUICK_NANOS
            || session.hasState()) {
          throw e;
        }
        cancellation.pause(PAUSE_MS * attempt);
      }
    }
  }
}
