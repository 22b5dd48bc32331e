package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineException;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Runs what commits by itself. When another commit came between, nothing of it is there, and it may
 * begin anew with what is there now.
 */
final class Conflicts {
  /** How often work is begun that others' commits come before. */
  private static final int MAX_ATTEMPTS = 16;

  private static final long FIRST_PAUSE_MS = 20;
  private static final long LONGEST_PAUSE_MS = 400;

  private Conflicts() {}

  static <T> T retrying(Cancellation cancellation, Executions.Work<T> work) throws EngineException {
    for (int attempt = 1; ; attempt++) {
      try {
        return work.run();
      } catch (EngineException e) {
        if (!e.error().isConflict() || attempt == MAX_ATTEMPTS) {
          throw e;
        }
        cancellation.pause(pauseMs(attempt));
      }
    }
  }

  /** Longer each time, and not as long as that of the others. */
  private static long pauseMs(int attempt) {
    long most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << attempt);
    return ThreadLocalRandom.current().nextLong(most / 2, most);
  }
}
