package com.lokryn.ducklake.observe;

import java.util.Locale;

/** What a statement spends its time with, one after the other. */
public enum Phase {
  /** Waits for its turn. */
  QUEUE,
  /** Is looked at, gets a connection and a transaction, and is planned. */
  PLAN,
  /** Is executed: up to the first batch of its result, or to the end of what has none. */
  FIRST_BATCH,
  /** Its result waits for its client, and is sent. */
  STREAM;

  private final String label = name().toLowerCase(Locale.ROOT);

  /** The name in metrics and traces. */
  public String label() {
    return label;
  }
}
