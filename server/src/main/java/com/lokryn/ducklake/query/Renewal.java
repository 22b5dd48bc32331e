package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineException;

/** Brings what the engine lacks when a statement fails for want of it. Thread-safe. */
public interface Renewal {
  /** There is nothing to renew. */
  Renewal NONE =
      new Renewal() {
        @Override
        public long count() {
          return 0;
        }

        @Override
        public boolean renew(long before, EngineException failure) {
          return false;
        }
      };

  /** How often it was renewed so far; to be read before a statement is run. */
  long count();

  /**
   * Looks for something newer, unless there was already.
   *
   * @param before the count before the statement
   * @return true when the failure was for want of it, and the statement may be run again
   */
  boolean renew(long before, EngineException failure);
}
