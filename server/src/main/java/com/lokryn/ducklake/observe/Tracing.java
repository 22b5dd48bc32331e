package com.lokryn.ducklake.observe;

import org.jspecify.annotations.Nullable;

/** Where spans go. Thread-safe. */
public interface Tracing extends QueryListener, AutoCloseable {
  /** The span of a remote call. */
  interface Call {
    /** The span, as in the header traceparent. */
    String traceparent();

    /**
     * Ends it; later calls do nothing.
     *
     * @param status the name of the gRPC status
     */
    void end(String status);
  }

  /**
   * Begins the span of a remote call, in the trace that it comes from.
   *
   * @param method its full name
   * @param traceparent the header of that name
   * @param tracestate the header of that name
   */
  Call begin(String method, @Nullable String traceparent, @Nullable String tracestate);

  /** Sends what has not been sent, which is bounded. */
  @Override
  void close();

  /** The id of the trace in a header traceparent that was made here. */
  static String traceId(String traceparent) {
    return traceparent.substring(3, 35);
  }
}
