package com.lokryn.ducklake.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.apache.arrow.flight.FlightRuntimeException;
import org.assertj.core.api.AbstractStringAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Looks at the gRPC status a call ended with, through whatever Arrow's client makes of it. */
public final class Statuses {
  private Statuses() {}

  /** Requires that a call fails with a status, and goes on with its text. */
  public static AbstractStringAssert<?> assertFails(Status.Code code, ThrowingCallable call) {
    Throwable thrown = catchThrowable(call);
    assertThat(thrown).as("a failure with " + code).isNotNull();
    assertThat(code(thrown)).as(String.valueOf(thrown.getMessage())).isEqualTo(code);
    return assertThat(thrown.getMessage());
  }

  private static Status.Code code(Throwable thrown) {
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      if (t instanceof StatusRuntimeException e) {
        return e.getStatus().getCode();
      }
    }
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      if (t instanceof FlightRuntimeException e) {
        return switch (e.status().code()) {
          case UNAUTHORIZED -> Status.Code.PERMISSION_DENIED;
          case TIMED_OUT -> Status.Code.DEADLINE_EXCEEDED;
          default -> Status.Code.valueOf(e.status().code().name());
        };
      }
    }
    return Status.Code.UNKNOWN;
  }
}
