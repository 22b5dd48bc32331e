package com.lokryn.ducklake.flight;

import io.grpc.ServerCall;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Stands for the listener of a call that begins later, on another thread, and keeps for it what
 * happens meanwhile. That is little: before a call begins it asks for no message.
 */
final class LateListener<Q> extends ServerCall.Listener<Q> {
  private final List<Consumer<ServerCall.Listener<Q>>> kept = new ArrayList<>();
  private volatile ServerCall.@Nullable Listener<Q> real;

  /** Begins the call. What happens from here on waits until it has begun, which takes no time. */
  synchronized void begin(Supplier<ServerCall.Listener<Q>> start) {
    ServerCall.Listener<Q> started = start.get();
    kept.forEach(event -> event.accept(started));
    kept.clear();
    real = started;
  }

  private void tell(Consumer<ServerCall.Listener<Q>> event) {
    ServerCall.Listener<Q> begun = real;
    if (begun == null) {
      begun = keep(event);
    }
    if (begun != null) {
      event.accept(begun);
    }
  }

  /** Keeps an event, unless the call has begun now. */
  private synchronized ServerCall.@Nullable Listener<Q> keep(
      Consumer<ServerCall.Listener<Q>> event) {
    ServerCall.Listener<Q> begun = real;
    if (begun == null) {
      kept.add(event);
    }
    return begun;
  }

  @Override
  public void onMessage(Q message) {
    tell(listener -> listener.onMessage(message));
  }

  @Override
  public void onHalfClose() {
    tell(ServerCall.Listener::onHalfClose);
  }

  @Override
  public void onCancel() {
    tell(ServerCall.Listener::onCancel);
  }

  @Override
  public void onComplete() {
    tell(ServerCall.Listener::onComplete);
  }

  @Override
  public void onReady() {
    tell(ServerCall.Listener::onReady);
  }
}
