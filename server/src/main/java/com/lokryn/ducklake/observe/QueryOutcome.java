package com.lokryn.ducklake.observe;

import java.util.Locale;

/** How a statement ended. */
public enum QueryOutcome {
  DONE,
  /** With an error of the statement or of the engine. */
  FAILED,
  /** Its client, or an administrator, ended it. */
  CANCELLED,
  /** The server ended it: a limit, a time, a client that does not read, the server's own end. */
  STOPPED,
  /** Nobody came for the result in time. */
  ABANDONED;

  private final String label = name().toLowerCase(Locale.ROOT);

  /** The name in metrics, logs and traces. */
  public String label() {
    return label;
  }
}
