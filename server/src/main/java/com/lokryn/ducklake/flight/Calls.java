package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.observe.Usage;
import com.lokryn.ducklake.query.Admission;
import com.lokryn.ducklake.query.Cancellation;
import com.lokryn.ducklake.query.Lanes;
import com.lokryn.ducklake.query.Problem;
import io.grpc.Context;
import io.grpc.Context.CancellationListener;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;

/**
 * Takes requests off gRPC's threads, which must not wait for the engine, and ends them when their
 * client goes away or its deadline passes.
 */
final class Calls {
  /** What a request does; it may take as long as its statement. */
  interface Work<T> {
    T run(Call call) throws Exception;
  }

  private final Lanes lanes;
  private final FlightErrors errors;
  private final Usage usage;

  /**
   * @param usage where the time in the engine is counted
   */
  Calls(Lanes lanes, FlightErrors errors, Usage usage) {
    this.lanes = lanes;
    this.errors = errors;
    this.usage = usage;
  }

  /** A request with one answer. */
  <T> void unary(StreamObserver<T> observer, Work<T> work) {
    several(observer, call -> List.of(work.run(call)));
  }

  /** An answer that needs no engine, if there is one. */
  interface AtHand<T> {
    Optional<T> find(Call call);
  }

  /** A request with one answer, which may be at hand. */
  <T> void unary(StreamObserver<T> observer, AtHand<T> atHand, Work<T> work) {
    several(observer, call -> atHand.find(call).map(List::of), call -> List.of(work.run(call)));
  }

  /** A request with any number of answers, which are small. */
  <T> void several(StreamObserver<T> observer, Work<List<T>> work) {
    several(lanes.statements(), observer, _ -> Optional.empty(), work);
  }

  /** The same with answers that may be at hand. */
  <T> void several(StreamObserver<T> observer, AtHand<List<T>> atHand, Work<List<T>> work) {
    several(lanes.statements(), observer, atHand, work);
  }

  /** As {@link #several}, for what ends something that has begun. */
  <T> void ending(StreamObserver<T> observer, Work<List<T>> work) {
    several(lanes.begun(), observer, _ -> Optional.empty(), work);
  }

  private <T> void several(
      Admission lane, StreamObserver<T> observer, AtHand<List<T>> atHand, Work<List<T>> work) {
    // Without a handler an answer to a client that has gone would throw.
    ((ServerCallStreamObserver<T>) observer).setOnCancelHandler(() -> {});
    Call call = begin();
    try {
      Optional<List<T>> found = atHand.find(call);
      if (found.isPresent()) {
        found.get().forEach(observer::onNext);
        observer.onCompleted();
        return;
      }
    } catch (RuntimeException e) {
      observer.onError(errors.status(e));
      return;
    }
    Context context = Context.current();
    CancellationListener onCancel = cancelled -> cancel(call.cancellation(), cancelled);
    context.addListener(onCancel, Runnable::run);
    lane.run(
        call.session(),
        call.cancellation(),
        () -> {
          List<T> answers;
          try {
            call.cancellation().check();
            answers = work.run(call);
          } catch (Throwable t) {
            observer.onError(errors.status(t));
            return;
          } finally {
            // From here on the end of the call is not the end of what it has started.
            context.removeListener(onCancel);
          }
          answers.forEach(observer::onNext);
          observer.onCompleted();
        });
  }

  /** What a request waits for, without a thread. */
  interface Later<T> {
    CompletableFuture<T> begin() throws Exception;
  }

  /** A request whose answer comes later, and that may be given up without ending what it began. */
  <T> void later(StreamObserver<T> observer, Later<T> work) {
    ((ServerCallStreamObserver<T>) observer).setOnCancelHandler(() -> {});
    CompletableFuture<T> answer;
    try {
      answer = work.begin();
    } catch (Throwable t) {
      observer.onError(errors.status(t));
      return;
    }
    var _ =
        answer.whenComplete(
            (value, failure) -> {
              if (failure == null) {
                observer.onNext(value);
                observer.onCompleted();
              } else {
                observer.onError(errors.status(reason(failure)));
              }
            });
  }

  private static Throwable reason(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  /** A request that is answered where it is, because answering does not enter the engine. */
  <T> void here(StreamObserver<T> observer, Work<List<T>> work) {
    List<T> answers;
    try {
      answers = work.run(begin());
    } catch (Throwable t) {
      observer.onError(errors.status(t));
      return;
    }
    answers.forEach(observer::onNext);
    observer.onCompleted();
  }

  /** A request whose handler minds its end itself. To be called on the request's own thread. */
  Call begin() {
    return new Call(
        SessionDoor.session(),
        new Cancellation(usage, Traced.request()),
        CallHeaders.idempotencyKey(),
        CallHeaders.resultSource(),
        CallHeaders.isOfJavaClient());
  }

  static void cancel(Cancellation cancellation, Context context) {
    if (context.cancellationCause() instanceof TimeoutException) {
      cancellation.cancel(Problem.TIME_LIMIT, "the client's deadline has passed");
    } else {
      cancellation.cancel(Problem.CANCELLED, "the client cancelled");
    }
  }
}
