package com.lokryn.ducklake.flight;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The calls that are being answered, by the connection that they came by. Once the server stops, no
 * new ones begin, but for the fetch of a result that is there already. Those of the health service
 * do not count: they may last for ever.
 */
final class OpenCalls implements ServerInterceptor {
  /** How long the end of a result may take on its way to a client. */
  private static final Duration ARRIVAL = Duration.ofMillis(500);

  private static final String REFUSAL =
      "the server is stopping, and nothing was run: run it again, which a new connection takes to"
          + " another server";

  /** For calls that came by no socket. */
  private static final SocketAddress NOWHERE = InetSocketAddress.createUnresolved("nowhere", 0);

  /** How many calls each client's address has open; no entry where it has none. */
  private final Map<SocketAddress, Integer> open = new HashMap<>();

  private boolean stopping;

  /** When the last fetch of a result ended, if there was any. */
  private OptionalLong fetched = OptionalLong.empty();

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (HealthGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
      return next.startCall(call, headers);
    }
    boolean isFetch = FlightMethods.isFetch(call.getMethodDescriptor());
    SocketAddress client = address(call);
    if (!begin(client, isFetch)) {
      call.close(Status.UNAVAILABLE.withDescription(REFUSAL), new Metadata());
      return new ServerCall.Listener<>() {};
    }
    var ended = new AtomicBoolean();
    return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
      @Override
      public void onComplete() {
        end(ended, client, isFetch);
        super.onComplete();
      }

      @Override
      public void onCancel() {
        end(ended, client, isFetch);
        super.onCancel();
      }
    };
  }

  private static SocketAddress address(ServerCall<?, ?> call) {
    SocketAddress address = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    return address == null ? NOWHERE : address;
  }

  private synchronized boolean begin(SocketAddress client, boolean isFetch) {
    if (stopping && !isFetch) {
      return false;
    }
    open.merge(client, 1, Integer::sum);
    return true;
  }

  private synchronized void end(AtomicBoolean ended, SocketAddress client, boolean isFetch) {
    if (ended.compareAndSet(false, true)) {
      open.computeIfPresent(client, (_, count) -> count == 1 ? null : count - 1);
      if (isFetch) {
        fetched = OptionalLong.of(System.nanoTime());
      }
      notifyAll();
    }
  }

  /** Lets no new calls begin. */
  synchronized void stop() {
    stopping = true;
  }

  /** True while nothing is being answered. */
  synchronized boolean areNone() {
    return open.isEmpty();
  }

  /** True while a client's connection has no call open. */
  synchronized boolean areNoneOf(SocketAddress client) {
    return !open.containsKey(client);
  }

  /** Waits until no call is open; false when that takes longer. */
  synchronized boolean awaitNone(Duration timeout) throws InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    while (!open.isEmpty()) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
    return true;
  }

  /**
   * Waits until what was sent last has arrived. gRPC closes a connection when the end of its last
   * stream is handed to the system; what the client sends after that, as that it takes more, has
   * the system drop what is not delivered yet.
   */
  synchronized void awaitArrival() throws InterruptedException {
    if (fetched.isEmpty()) {
      return;
    }
    long until = fetched.getAsLong() + ARRIVAL.toNanos();
    for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
  }
}
