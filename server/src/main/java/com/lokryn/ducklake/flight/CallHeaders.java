package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.query.ResultSource;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.Optional;

/** Carries the headers of a call that mean something to its handler. */
final class CallHeaders implements ServerInterceptor {
  private static final Metadata.Key<String> IDEMPOTENCY_KEY =
      Metadata.Key.of("idempotency-key", Metadata.ASCII_STRING_MARSHALLER);

  private static final Metadata.Key<String> RESULT_CACHE =
      Metadata.Key.of("result-cache", Metadata.ASCII_STRING_MARSHALLER);

  private static final Metadata.Key<String> USER_AGENT =
      Metadata.Key.of("user-agent", Metadata.ASCII_STRING_MARSHALLER);

  private static final Context.Key<Metadata> HEADERS = Context.key("headers");

  /** What the call that the current thread handles calls itself. */
  static Optional<String> idempotencyKey() {
    return Optional.ofNullable(HEADERS.get().get(IDEMPOTENCY_KEY));
  }

  /** Whether the result of a query may be one that was kept. */
  static ResultSource resultSource() {
    String wanted = HEADERS.get().get(RESULT_CACHE);
    return "false".equalsIgnoreCase(wanted) ? ResultSource.ENGINE : ResultSource.ANY;
  }

  /** Whether gRPC's Java library sent it, which is all that the JDBC driver says of itself. */
  static boolean isOfJavaClient() {
    String agent = HEADERS.get().get(USER_AGENT);
    return agent != null && agent.contains("grpc-java");
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    return Contexts.interceptCall(
        Context.current().withValue(HEADERS, headers), call, headers, next);
  }
}
