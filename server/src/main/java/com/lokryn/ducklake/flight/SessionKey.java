package com.lokryn.ducklake.flight;

import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerTransportFilter;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Tells requests of one client from those of another: by their HTTP/2 connection, which every
 * driver keeps for as long as its own connection is open, with no cookie to be turned on first.
 */
final class SessionKey {
  private static final Attributes.Key<String> ATTRIBUTE =
      Attributes.Key.create("com.lokryn.ducklake.session");
  private static final Context.Key<String> KEY = Context.key("session");

  private SessionKey() {}

  /** The session of the request that the current thread handles. */
  static String current() {
    return KEY.get();
  }

  /** Names each connection, and tells when one is there and when it is gone. */
  static ServerTransportFilter naming(Consumer<String> onReady, Consumer<String> onGone) {
    var next = new AtomicLong();
    return new ServerTransportFilter() {
      @Override
      public Attributes transportReady(Attributes attributes) {
        String key = "c" + next.incrementAndGet();
        onReady.accept(key);
        return attributes.toBuilder().set(ATTRIBUTE, key).build();
      }

      @Override
      public void transportTerminated(Attributes attributes) {
        String key = attributes == null ? null : attributes.get(ATTRIBUTE);
        if (key != null) {
          onGone.accept(key);
        }
      }
    };
  }

  /** Carries the name of the connection into the context of each request. */
  static ServerInterceptor carrying() {
    return new ServerInterceptor() {
      @Override
      public <Q, A> ServerCall.Listener<Q> interceptCall(
          ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        String key = call.getAttributes().get(ATTRIBUTE);
        Context context = Context.current().withValue(KEY, key == null ? "unknown" : key);
        return Contexts.interceptCall(context, call, headers, next);
      }
    };
  }
}
