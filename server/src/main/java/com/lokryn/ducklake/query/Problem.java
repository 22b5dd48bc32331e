package com.lokryn.ducklake.query;

/** Why the server itself, not the engine, ends a request. */
public enum Problem {
  /** The request cannot be understood or is not allowed in this form. */
  INVALID,
  /** A handle, ticket or transaction that is not there, or no longer. */
  UNKNOWN_HANDLE,
  /** What a handle was made for is not any more; it is made anew by asking again. */
  OUTDATED,
  UNSUPPORTED,
  /** Not this client's to do. */
  FORBIDDEN,
  /** The client ended it. */
  CANCELLED,
  /** Someone other than its client ended it. */
  KILLED,
  /** It took longer than allowed, by the client or by `query_timeout`. */
  TIME_LIMIT,
  /** The client stopped reading. */
  STALLED,
  /** More at once than the server allows. */
  LIMIT,
  /** The server is stopping, or its engine is being opened anew. */
  UNAVAILABLE
}
