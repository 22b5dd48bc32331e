package com.lokryn.ducklake.query;

/** Where the result of a statement may come from. */
public enum ResultSource {
  /** From the cache of results, if it is there and its session uses that. */
  ANY,
  /** From the engine only. */
  ENGINE
}
