package com.lokryn.ducklake.flight;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

/**
 * Leaves it to a {@link SendWindow} how much of a result waits in the transport: 32 KiB would do
 * for gRPC by default.
 */
final class ReadAhead implements ServerInterceptor {
  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (FlightMethods.isFetch(call.getMethodDescriptor())) {
      call.setOnReadyThreshold((int) SendWindow.MAX_BYTES);
    }
    return next.startCall(call, headers);
  }
}
