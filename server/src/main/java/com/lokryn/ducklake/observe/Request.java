package com.lokryn.ducklake.observe;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A request of a client's, as far as its times and its trace go. What it has begun may outlive it.
 * Thread-safe.
 */
public final class Request {
  private static final long NEVER = 0;

  private final @Nullable String trace;
  private volatile long asked = NEVER;
  private volatile long turn = NEVER;
  private volatile @Nullable String fetch;

  /** One that is in no trace. */
  public Request() {
    this(null);
  }

  /**
   * @param trace its span, as in the header traceparent; null for none
   */
  public Request(@Nullable String trace) {
    this.trace = trace;
  }

  /** It waits for its turn from here on; only the first time counts. */
  public void waits() {
    if (asked == NEVER) {
      asked = System.nanoTime();
    }
  }

  /** It has its turn; only the first time counts. */
  public void hasTurn() {
    if (turn == NEVER) {
      turn = System.nanoTime();
    }
  }

  /** When it began to wait, or what is given when it does not. */
  public long askedOr(long now) {
    return turn == NEVER || asked == NEVER ? now : asked;
  }

  /** When it had its turn, or what is given when it needed none. */
  public long turnOr(long now) {
    return turn == NEVER ? now : turn;
  }

  /** What it has begun is sent to another request. */
  public void fetchedBy(Request other) {
    fetch = other.trace;
  }

  /** The span that the request came with, as in the header traceparent. */
  public Optional<String> trace() {
    return Optional.ofNullable(trace);
  }

  /** That of the request which fetched the result. */
  public Optional<String> fetch() {
    return Optional.ofNullable(fetch);
  }
}
