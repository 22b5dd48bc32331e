package com.lokryn.ducklake.client;

import org.apache.arrow.flight.FlightRuntimeException;
import org.apache.arrow.flight.FlightStatusCode;

/** What the server refused, or that it cannot be reached; the text is the server's own. */
public final class ServerException extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean unreachable;

  private ServerException(String text, boolean unreachable, Throwable cause) {
    super(text, cause);
    this.unreachable = unreachable;
  }

  static ServerException of(FlightRuntimeException e, ServerUrl url) {
    boolean unreachable =
        e.status().code() == FlightStatusCode.UNAVAILABLE
            && (e.getMessage() == null || e.getMessage().startsWith("io exception"));
    return new ServerException(
        unreachable
            ? "no server answers at %s: start one with 'ducklake-flight serve --local'"
                .formatted(url)
            : String.valueOf(e.getMessage()),
        unreachable,
        e);
  }

  /** True when there was no server, rather than one that refused. */
  public boolean isUnreachable() {
    return unreachable;
  }
}
