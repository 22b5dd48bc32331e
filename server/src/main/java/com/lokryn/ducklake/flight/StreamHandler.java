package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.flight.Handles.Handle;
import com.lokryn.ducklake.observe.Usage;
import com.lokryn.ducklake.query.Admission;
import com.lokryn.ducklake.query.Batches;
import com.lokryn.ducklake.query.CompletedUpdate;
import com.lokryn.ducklake.query.Lanes;
import com.lokryn.ducklake.query.QueryResult;
import com.lokryn.ducklake.query.Results;
import com.lokryn.ducklake.query.RunningQuery;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Executor;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.memory.BufferAllocator;

/** DoGet: tickets in, batches out. */
final class StreamHandler {
  private final Calls calls;
  private final StatementHandler statements;
  private final MetadataHandler metadata;
  private final Results results;
  private final Senders senders;
  private final Lanes lanes;
  private final Executor closers;
  private final FlightErrors errors;
  private final BufferAllocator allocator;
  private final InstantSource clock;
  private final SchemaBytes schemas;
  private final Usage usage;

  StreamHandler(
      Calls calls,
      StatementHandler statements,
      MetadataHandler metadata,
      Results results,
      Senders senders,
      Lanes lanes,
      Executor closers,
      FlightErrors errors,
      BufferAllocator allocator,
      InstantSource clock,
      SchemaBytes schemas,
      Usage usage) {
    this.calls = calls;
    this.statements = statements;
    this.metadata = metadata;
    this.results = results;
    this.senders = senders;
    this.lanes = lanes;
    this.closers = closers;
    this.errors = errors;
    this.allocator = allocator;
    this.clock = clock;
    this.schemas = schemas;
    this.usage = usage;
  }

  /** Answers a call; returns before all of the answer is sent. */
  void get(Flight.Ticket ticket, StreamObserver<WireMessage> observer) {
    var output =
        new BatchOutput(
            (ServerCallStreamObserver<WireMessage>) observer, schemas, senders::count, usage);
    Call call = calls.begin();
    try {
      switch (CommandDecoder.read(ticket.getTicket())) {
        case FlightCommand.Started(var message) ->
            send(statements.read(message, call), call, output);
        case FlightCommand.Metadata(var question) ->
            onStatements(call, output, () -> send(metadata.answer(question, call), call, output));
        case FlightCommand _ ->
            throw FlightErrors.invalid("ask for a FlightInfo first, and fetch the ticket it gives");
      }
    } catch (RuntimeException e) {
      output.fail(errors.status(e));
    }
  }

  private void send(Handle ticket, Call call, BatchOutput output) {
    if (statements.isHere(ticket)) {
      send(statements.claim(ticket), call, output);
    } else {
      onStatements(call, output, () -> send(statements.startHere(ticket, call), call, output));
    }
  }

  private interface Work {
    void run() throws EngineException;
  }

  /** Does what enters the engine before there is anything to send. */
  private void onStatements(Call call, BatchOutput output, Work work) {
    output.listen(() -> {}, () -> BatchSender.clientCancelled(call.cancellation()));
    lanes
        .statements()
        .run(
            call.session(),
            call.cancellation(),
            () -> {
              try {
                call.cancellation().check();
                work.run();
              } catch (Throwable t) {
                output.fail(errors.status(t));
              }
            });
  }

  private void send(QueryResult result, Call call, BatchOutput output) {
    Batches batches =
        switch (result) {
          case RunningQuery query -> query;
          case CompletedUpdate update ->
              new MetadataBatches(
                  RowWriter.write(update.schema(), List.of(List.of(update.rows())), allocator),
                  update.cancellation());
        };
    start(batches, call, output, () -> results.ended(result));
  }

  private void send(MetadataBatches batches, Call call, BatchOutput output) {
    start(batches, call, output, () -> {});
  }

  private void start(Batches batches, Call call, BatchOutput output, Runnable atEnd) {
    batches.cancellation().request().fetchedBy(call.cancellation().request());
    Admission.Claim turn = lanes.begun().claim(call.session(), batches.cancellation());
    senders.start(
        onEnd ->
            new BatchSender(
                batches,
                output,
                turn,
                closers,
                errors,
                clock,
                () -> {
                  atEnd.run();
                  onEnd.run();
                }));
  }
}
