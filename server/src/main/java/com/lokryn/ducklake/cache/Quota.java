package com.lokryn.ducklake.cache;

/** Bytes that may be used, all together. Thread-safe. */
final class Quota {
  private final long most;
  private long used;

  Quota(long most) {
    this.most = most;
  }

  /** Takes some, or none where that is too much. */
  synchronized boolean take(long bytes) {
    if (bytes > most - used) {
      return false;
    }
    used += bytes;
    return true;
  }

  synchronized void giveBack(long bytes) {
    used -= bytes;
  }

  synchronized long used() {
    return used;
  }
}
