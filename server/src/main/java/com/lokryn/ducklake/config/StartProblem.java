package com.lokryn.ducklake.config;

/**
 * Something outside of the program that keeps it from starting.
 *
 * @param kind what has to be mended
 * @param text what happened, with the other side's own words
 * @param remedy what to do about it
 */
public record StartProblem(Kind kind, String text, String remedy) {
  /** What has to be mended. */
  public enum Kind {
    /** A permission. */
    PERMISSION,
    /** A setting. */
    CONFIGURATION,
    /** A service that the program needs. */
    DEPENDENCY
  }

  /** Text and remedy in one sentence. */
  public String sentence() {
    return text.replaceFirst("[.\\s]+$", "") + "; " + remedy;
  }
}
