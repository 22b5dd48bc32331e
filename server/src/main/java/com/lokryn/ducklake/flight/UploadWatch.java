package com.lokryn.ducklake.flight;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCall.Listener;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Ends uploads whose client sends nothing for too long. Arrow's stream waits for the next batch
 * without a limit, inside of the engine's threads, and knows of no end but the client's; so to it a
 * stalled client is made to look like one that has cancelled. Thread-safe.
 */
final class UploadWatch implements ServerInterceptor {
  private final Set<Watched<?>> open = ConcurrentHashMap.newKeySet();
  private final InstantSource clock;

  UploadWatch(InstantSource clock) {
    this.clock = clock;
  }

  @Override
  public <Q, A> Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    Listener<Q> listener = next.startCall(call, headers);
    if (!"DoPut".equals(call.getMethodDescriptor().getBareMethodName())) {
      return listener;
    }
    var watched = new Watched<Q>(listener);
    open.add(watched);
    return watched;
  }

  /** Ends those that were silent for longer than the limit. */
  void checkStalls(Duration limit) {
    Instant before = clock.instant().minus(limit);
    open.forEach(upload -> upload.endIfSilentSince(before));
  }

  private final class Watched<Q> extends SimpleForwardingServerCallListener<Q> {
    private volatile Instant heard = clock.instant();
    private volatile boolean complete;

    Watched(Listener<Q> listener) {
      super(listener);
    }

    void endIfSilentSince(Instant before) {
      if (!complete && heard.isBefore(before) && open.remove(this)) {
        super.onCancel();
      }
    }

    @Override
    public void onMessage(Q message) {
      heard = clock.instant();
      super.onMessage(message);
    }

    @Override
    public void onHalfClose() {
      // All is there: what takes time now is the engine.
      complete = true;
      super.onHalfClose();
    }

    @Override
    public void onCancel() {
      if (open.remove(this)) {
        super.onCancel();
      }
    }

    @Override
    public void onComplete() {
      open.remove(this);
      super.onComplete();
    }
  }
}
