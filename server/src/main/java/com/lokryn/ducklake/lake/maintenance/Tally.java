package com.lokryn.ducklake.lake.maintenance;

import java.util.Optional;

/**
 * How far a step has come.
 *
 * @param done in what it counts
 * @param text the same in words
 * @param more is there more?
 * @param busy what somebody else was first with
 */
record Tally(long done, String text, boolean more, Optional<String> busy) {
  /** A number of things, in words. */
  static String count(long number, String thing) {
    return "%d %s%s".formatted(number, thing, number == 1 ? "" : "s");
  }

  static Tally of(long done, String text) {
    return new Tally(done, text, false, Optional.empty());
  }
}
