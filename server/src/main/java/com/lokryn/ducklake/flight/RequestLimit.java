package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.observe.Counts;
import com.lokryn.ducklake.observe.Limit;
import io.grpc.BindableService;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.KnownLength;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.ServerCall;
import io.grpc.ServerCall.Listener;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * Refuses requests that are too large to be taken apart on the heap. gRPC has one limit for a whole
 * server, and uploads, whose rows never come to the heap, need a higher one. Arrow reads them
 * itself; all other requests are protobuf messages, copied several times on their way to a handler.
 */
final class RequestLimit implements ServerInterceptor {
  /** Twice the longest statement, so that one that is too long is told so. */
  static final int MAX_BYTES = 32 << 20;

  /** Set by the marshaller, whose thread calls the interceptor right afterwards. */
  private static final ThreadLocal<Boolean> UNREADABLE = ThreadLocal.withInitial(() -> false);

  private final Counts<Limit> refusals;

  RequestLimit(Counts<Limit> refusals) {
    this.refusals = refusals;
  }

  static ServerServiceDefinition on(BindableService service) {
    ServerServiceDefinition bound = service.bindService();
    var limited = ServerServiceDefinition.builder(bound.getServiceDescriptor().getName());
    bound.getMethods().forEach(method -> limited.addMethod(on(method)));
    return limited.build();
  }

  static <Q, A> ServerMethodDefinition<Q, A> on(ServerMethodDefinition<Q, A> method) {
    var descriptor = method.getMethodDescriptor();
    return ServerMethodDefinition.create(
        descriptor.toBuilder(
                on(descriptor.getRequestMarshaller()), descriptor.getResponseMarshaller())
            .build(),
        method.getServerCallHandler());
  }

  /** Gives null for what is refused: a marshaller's exception would go out as UNKNOWN. */
  private static <Q> Marshaller<Q> on(Marshaller<Q> marshaller) {
    return new Marshaller<>() {
      @Override
      public InputStream stream(Q message) {
        return marshaller.stream(message);
      }

      @Override
      @SuppressWarnings("NullAway") // the interceptor below takes it
      public Q parse(InputStream stream) {
        try {
          if (stream instanceof KnownLength) {
            return stream.available() > MAX_BYTES ? null : marshaller.parse(stream);
          }
          // It was compressed.
          return marshaller.parse(new Counting(stream));
        } catch (TooLarge _) {
          return null;
        } catch (StatusRuntimeException e) {
          UNREADABLE.set(true);
          return null;
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    };
  }

  @Override
  public <Q, A> Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
      private boolean refused;

      @Override
      public void onMessage(@Nullable Q message) {
        if (message != null) {
          super.onMessage(message);
        } else if (!refused) {
          refused = true;
          call.close(reason(), new Metadata());
        }
      }

      @Override
      public void onHalfClose() {
        if (!refused) {
          super.onHalfClose();
        }
      }
    };
  }

  private Status reason() {
    boolean isUnreadable = UNREADABLE.get();
    UNREADABLE.remove();
    if (!isUnreadable) {
      refusals.add(Limit.REQUEST_SIZE);
    }
    return isUnreadable
        ? Status.INVALID_ARGUMENT.withDescription("the request is not a Flight message")
        : Status.RESOURCE_EXHAUSTED.withDescription(
            "the request is larger than %d MiB: send data as parameters or by a bulk ingest"
                .formatted(MAX_BYTES >> 20));
  }

  private static final class TooLarge extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private static final class Counting extends FilterInputStream {
    private long bytes;

    Counting(InputStream stream) {
      super(stream);
    }

    @Override
    public int read() throws IOException {
      int one = super.read();
      count(one < 0 ? 0 : 1);
      return one;
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
      int read = super.read(target, from, length);
      count(Math.max(0, read));
      return read;
    }

    private void count(int read) {
      bytes += read;
      if (bytes > MAX_BYTES) {
        throw new TooLarge();
      }
    }
  }
}
