package com.lokryn.ducklake.observe;

/** How long the process has had its credentials. Thread-safe. */
public final class CredentialAge {
  private static final long NEVER = Long.MIN_VALUE;

  private volatile long taken = NEVER;

  /** There are new ones. */
  public void renewed() {
    taken = System.nanoTime();
  }

  /** Seconds since then; not a number where there never were any. */
  double seconds() {
    long since = taken;
    return since == NEVER ? Double.NaN : (System.nanoTime() - since) / 1e9;
  }
}
