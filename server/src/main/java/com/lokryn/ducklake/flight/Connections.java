package com.lokryn.ducklake.flight;

import io.grpc.Attributes;
import io.grpc.ServerCall;
import io.grpc.ServerTransportFilter;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** Gives names to the HTTP/2 connections, which every driver keeps while its own one is open. */
final class Connections {
  private static final Attributes.Key<String> NAME =
      Attributes.Key.create("com.lokryn.ducklake.connection");

  private Connections() {}

  /** The name of the connection that a call came by. */
  static String of(ServerCall<?, ?> call) {
    String name = call.getAttributes().get(NAME);
    return name == null ? "unknown" : name;
  }

  /** Names each connection, and tells when one is there and when it is gone. */
  static ServerTransportFilter naming(Consumer<String> onReady, Consumer<String> onGone) {
    var next = new AtomicLong();
    return new ServerTransportFilter() {
      @Override
      public Attributes transportReady(Attributes attributes) {
        String name = "c" + next.incrementAndGet();
        onReady.accept(name);
        return attributes.toBuilder().set(NAME, name).build();
      }

      @Override
      public void transportTerminated(Attributes attributes) {
        String name = attributes == null ? null : attributes.get(NAME);
        if (name != null) {
          onGone.accept(name);
        }
      }
    };
  }
}
