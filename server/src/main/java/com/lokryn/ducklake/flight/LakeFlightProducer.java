package com.lokryn.ducklake.flight;

import io.grpc.Context;
import io.grpc.Context.CancellationListener;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.NoOpFlightProducer;
import org.apache.arrow.flight.PutResult;

/** The calls of Flight that we leave to Arrow's service, which knows how to take batches in. */
final class LakeFlightProducer extends NoOpFlightProducer {
  private final Calls calls;
  private final UploadHandler uploads;
  private final FlightErrors errors;

  LakeFlightProducer(Calls calls, UploadHandler uploads, FlightErrors errors) {
    this.calls = calls;
    this.uploads = uploads;
    this.errors = errors;
  }

  @Override
  public Runnable acceptPut(
      CallContext context, FlightStream upload, StreamListener<PutResult> answers) {
    Call call = calls.begin();
    return () -> {
      CancellationListener onCancel = cancelled -> Calls.cancel(call.cancellation(), cancelled);
      Context.current().addListener(onCancel, Runnable::run);
      try {
        uploads.handle(upload, answers, call);
        answers.onCompleted();
      } catch (Throwable t) {
        answers.onError(errors.status(t));
      } finally {
        Context.current().removeListener(onCancel);
      }
    };
  }
}
