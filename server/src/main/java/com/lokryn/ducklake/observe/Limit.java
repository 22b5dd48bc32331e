package com.lokryn.ducklake.observe;

import java.util.Locale;

/** What clients are refused for, or ended by, when it is too much at once. */
public enum Limit {
  /** More statements wait than the queue holds. */
  QUEUE_LENGTH,
  /** A statement waited longer than {@code queue_timeout}. */
  QUEUE_TIMEOUT,
  /** Too many statements wait for one session. */
  SESSION_QUEUE,
  /** A user's open results and transactions hold all connections to the catalog that one may. */
  CATALOG_CONNECTIONS,
  /** {@code max_connections}. */
  CONNECTIONS,
  /** Wrong passwords, or more of them than can be looked at. */
  LOGINS,
  /** A user's sessions. */
  SESSIONS,
  /** A user's transactions. */
  TRANSACTIONS,
  /** Results of a session that nobody fetches. */
  WAITING_RESULTS,
  /** {@code max_result_bytes}, or what is kept of a result while another statement runs. */
  RESULT_SIZE,
  /** One request, or the values bound by it. */
  REQUEST_SIZE,
  /** What the server holds for its clients on its heap. */
  SERVER_MEMORY,
  /** {@code memory_limit}. */
  ENGINE_MEMORY,
  /** {@code max_temp_directory_size}. */
  SPILL,
  /** Lengths and numbers that no statement in use comes near. */
  OTHER;

  private final String label = name().toLowerCase(Locale.ROOT);

  /** The name in metrics. */
  public String label() {
    return label;
  }
}
