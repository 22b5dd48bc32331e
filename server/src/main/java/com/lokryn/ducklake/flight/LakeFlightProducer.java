package com.lokryn.ducklake.flight;

import com.google.protobuf.ByteString;
import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.query.Batches;
import com.lokryn.ducklake.query.CompletedUpdate;
import com.lokryn.ducklake.query.QueryResult;
import com.lokryn.ducklake.query.Results;
import com.lokryn.ducklake.query.RunningQuery;
import io.grpc.Context;
import io.grpc.Context.CancellationListener;
import java.time.InstantSource;
import java.util.List;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.NoOpFlightProducer;
import org.apache.arrow.flight.PutResult;
import org.apache.arrow.flight.Ticket;
import org.apache.arrow.memory.BufferAllocator;

/** The calls of Flight that carry batches: DoGet and DoPut. */
final class LakeFlightProducer extends NoOpFlightProducer {
  private final Calls calls;
  private final StatementHandler statements;
  private final MetadataHandler metadata;
  private final UploadHandler uploads;
  private final Results results;
  private final Senders senders;
  private final EngineThreads threads;
  private final FlightErrors errors;
  private final BufferAllocator allocator;
  private final InstantSource clock;

  LakeFlightProducer(
      Calls calls,
      StatementHandler statements,
      MetadataHandler metadata,
      UploadHandler uploads,
      Results results,
      Senders senders,
      EngineThreads threads,
      FlightErrors errors,
      BufferAllocator allocator,
      InstantSource clock) {
    this.calls = calls;
    this.statements = statements;
    this.metadata = metadata;
    this.uploads = uploads;
    this.results = results;
    this.senders = senders;
    this.threads = threads;
    this.errors = errors;
    this.allocator = allocator;
    this.clock = clock;
  }

  @Override
  public void getStream(CallContext context, Ticket ticket, ServerStreamListener listener) {
    Call call = calls.begin();
    try {
      switch (CommandDecoder.read(ByteString.copyFrom(ticket.getBytes()))) {
        case FlightCommand.Started(var message) -> send(statements.claim(message), listener);
        case FlightCommand.Metadata(var question) ->
            threads.queries().execute(() -> answer(question, call, listener));
        case FlightCommand _ ->
            throw FlightErrors.invalid("ask for a FlightInfo first, and fetch the ticket it gives");
      }
    } catch (RuntimeException e) {
      listener.error(errors.status(e));
    }
  }

  private void send(QueryResult result, ServerStreamListener listener) {
    Batches batches =
        switch (result) {
          case RunningQuery query -> query;
          case CompletedUpdate update ->
              new MetadataBatches(
                  RowWriter.write(update.schema(), List.of(List.of(update.rows())), allocator),
                  update.cancellation());
        };
    senders.start(
        onEnd ->
            new BatchSender(
                batches,
                listener,
                threads.streams(),
                errors,
                clock,
                () -> {
                  results.ended(result);
                  onEnd.run();
                }));
  }

  private void answer(MetadataQuestion question, Call call, ServerStreamListener listener) {
    try {
      var batches = new MetadataBatches(metadata.answer(question, call), call.cancellation());
      senders.start(
          onEnd -> new BatchSender(batches, listener, threads.streams(), errors, clock, onEnd));
    } catch (Throwable t) {
      listener.error(errors.status(t));
    }
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
