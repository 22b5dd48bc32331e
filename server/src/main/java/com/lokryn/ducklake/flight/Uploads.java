package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.ipc.IpcException;
import com.lokryn.ducklake.observe.Usage;
import com.lokryn.ducklake.query.Problem;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.impl.Flight.FlightDescriptor;
import org.apache.arrow.flight.impl.Flight.PutResult;

/** DoPut: the uploads there are, each received by gRPC's threads and handled by one of its own. */
final class Uploads {
  private final Set<UploadStream> open = ConcurrentHashMap.newKeySet();
  private final Calls calls;
  private final UploadHandler handler;
  private final FlightErrors errors;
  private final InstantSource clock;
  private final Usage usage;

  /**
   * @param usage where the bytes of batches are counted
   */
  Uploads(
      Calls calls, UploadHandler handler, FlightErrors errors, InstantSource clock, Usage usage) {
    this.usage = usage;
    this.calls = calls;
    this.handler = handler;
    this.errors = errors;
    this.clock = clock;
  }

  /** Begins an upload; returns what receives its messages. */
  StreamObserver<UploadMessage> put(StreamObserver<PutResult> observer) {
    var answers = (ServerCallStreamObserver<PutResult>) observer;
    Call call = calls.begin();
    Context context = Context.current();
    var stream = new UploadStream(open::size, () -> answers.request(1), call.cancellation(), clock);
    var receiver = new Receiver(call, stream, answers);
    answers.setOnCancelHandler(() -> Calls.cancel(call.cancellation(), context));
    call.cancellation().onCancel(() -> receiver.refuse(call.cancellation().reason()));
    answers.disableAutoRequest();
    open.add(stream);
    answers.request(1);
    return receiver;
  }

  void checkStalls(Duration limit) {
    open.forEach(upload -> upload.endIfSilent(limit));
  }

  void cancelAll(Problem problem, String text) {
    open.forEach(upload -> upload.cancel(problem, text));
  }

  private final class Receiver implements StreamObserver<UploadMessage> {
    private final Call call;
    private final UploadStream stream;
    private final ServerCallStreamObserver<PutResult> answers;

    private final AtomicBoolean handled = new AtomicBoolean();

    Receiver(Call call, UploadStream stream, ServerCallStreamObserver<PutResult> answers) {
      this.call = call;
      this.stream = stream;
      this.answers = answers;
    }

    @Override
    public void onNext(UploadMessage message) {
      if (message.isMalformed()) {
        stream.fail(IpcException.malformed("a message is not one of Flight's"));
      }
      usage.received(message.content().body().capacity());
      stream.add(message.content());
      if (handled.compareAndSet(false, true)) {
        FlightDescriptor descriptor =
            message.descriptor().orElse(Flight.FlightDescriptor.getDefaultInstance());
        // What waits for the client is no thread of the engine's.
        Thread.ofVirtual().name("upload").start(() -> handle(descriptor));
      }
    }

    @Override
    public void onCompleted() {
      stream.complete();
      refuse(
          FlightErrors.invalid(
              "the upload is empty, without even a schema: for a table without rows, send one batch of none"));
    }

    @Override
    public void onError(Throwable thrown) {
      // A client that is gone is the cancel handler's.
    }

    /** Ends an upload of which nothing has come yet. */
    void refuse(RuntimeException reason) {
      if (handled.compareAndSet(false, true)) {
        end();
        answers.onError(errors.status(reason));
      }
    }

    private void handle(FlightDescriptor descriptor) {
      try {
        handler.handle(descriptor, stream, answers, call);
        end();
        answers.onCompleted();
      } catch (Throwable t) {
        end();
        answers.onError(errors.status(t));
      }
    }

    private void end() {
      open.remove(stream);
      stream.close();
    }
  }
}
