package com.lokryn.ducklake.engine;

import java.util.OptionalLong;

/**
 * Tells the newest snapshot of the lake without a transaction of the engine's: whoever commits, on
 * whichever server, has made it the newest before their commit is acknowledged. Thread-safe.
 */
@FunctionalInterface
public interface NewestSnapshot {
  /**
   * Asks the catalog, and waits for its answer.
   *
   * @return the snapshot's id; empty where the catalog could not be asked, for whatever reason
   */
  OptionalLong ask();
}
