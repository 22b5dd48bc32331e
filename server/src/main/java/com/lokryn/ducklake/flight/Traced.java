package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.observe.Request;
import com.lokryn.ducklake.observe.Tracing;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;
import org.jspecify.annotations.Nullable;

/**
 * Makes a span of each call, in the trace that its client says. Only there while spans are sent.
 */
final class Traced implements ServerInterceptor {
  private static final Metadata.Key<String> TRACEPARENT =
      Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);

  private static final Metadata.Key<String> TRACESTATE =
      Metadata.Key.of("tracestate", Metadata.ASCII_STRING_MARSHALLER);

  private static final Context.Key<String> SPAN = Context.key("span");

  private final Tracing tracing;

  Traced(Tracing tracing) {
    this.tracing = tracing;
  }

  /** The request that the current thread handles. */
  static Request request() {
    @Nullable String span = SPAN.get();
    return new Request(span);
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (HealthGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
      return next.startCall(call, headers);
    }
    Tracing.Call span =
        tracing.begin(
            call.getMethodDescriptor().getFullMethodName(),
            headers.get(TRACEPARENT),
            headers.get(TRACESTATE));
    var answering =
        new SimpleForwardingServerCall<>(call) {
          @Override
          public void close(Status status, Metadata trailers) {
            span.end(status.getCode().name());
            super.close(status, trailers);
          }
        };
    var listener =
        Contexts.interceptCall(
            Context.current().withValue(SPAN, span.traceparent()), answering, headers, next);
    return new SimpleForwardingServerCallListener<>(listener) {
      @Override
      public void onCancel() {
        // Where the call was closed this comes too late to count.
        span.end(Status.Code.CANCELLED.name());
        super.onCancel();
      }
    };
  }
}
