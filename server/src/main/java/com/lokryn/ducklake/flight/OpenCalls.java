package com.lokryn.ducklake.flight;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The calls that are being answered. Once the server stops, no new ones begin, but for the fetch of
 * a result that is there already. Those of the health service do not count: they may last for ever.
 */
final class OpenCalls implements ServerInterceptor {
  private static final String FETCH = "DoGet";

  private int open;
  private boolean stopping;

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (HealthGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
      return next.startCall(call, headers);
    }
    if (!begin(FETCH.equals(call.getMethodDescriptor().getBareMethodName()))) {
      call.close(
          Status.UNAVAILABLE.withDescription("the server is stopping: connect again"),
          new Metadata());
      return new ServerCall.Listener<>() {};
    }
    var ended = new AtomicBoolean();
    return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
      @Override
      public void onComplete() {
        end(ended);
        super.onComplete();
      }

      @Override
      public void onCancel() {
        end(ended);
        super.onCancel();
      }
    };
  }

  private synchronized boolean begin(boolean isFetch) {
    if (stopping && !isFetch) {
      return false;
    }
    open++;
    return true;
  }

  private synchronized void end(AtomicBoolean ended) {
    if (ended.compareAndSet(false, true)) {
      open--;
      notifyAll();
    }
  }

  /**
   * Lets no new calls begin.
   *
   * @return true when some were open
   */
  synchronized boolean stop() {
    stopping = true;
    return open > 0;
  }

  /** Waits until no call is open; false when that takes longer. */
  synchronized boolean awaitNone(Duration timeout) throws InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    while (open > 0) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
    return true;
  }
}
