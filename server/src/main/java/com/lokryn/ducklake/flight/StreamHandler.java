package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.flight.Handles.Handle;
import com.lokryn.ducklake.observe.Usage;
import com.lokryn.ducklake.query.Batches;
import com.lokryn.ducklake.query.CompletedUpdate;
import com.lokryn.ducklake.query.QueryResult;
import com.lokryn.ducklake.query.Results;
import com.lokryn.ducklake.query.RunningQuery;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.InstantSource;
import java.util.List;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.memory.BufferAllocator;

/** DoGet: tickets in, batches out. */
final class StreamHandler {
  private final Calls calls;
  private final StatementHandler statements;
  private final MetadataHandler metadata;
  private final Results results;
  private final Senders senders;
  private final EngineThreads threads;
  private final FlightErrors errors;
  private final BufferAllocator allocator;
  private final InstantSource clock;
  private final Usage usage;

  StreamHandler(
      Calls calls,
      StatementHandler statements,
      MetadataHandler metadata,
      Results results,
      Senders senders,
      EngineThreads threads,
      FlightErrors errors,
      BufferAllocator allocator,
      InstantSource clock,
      Usage usage) {
    this.calls = calls;
    this.statements = statements;
    this.metadata = metadata;
    this.results = results;
    this.senders = senders;
    this.threads = threads;
    this.errors = errors;
    this.allocator = allocator;
    this.clock = clock;
    this.usage = usage;
  }

  /** Answers a call; returns before all of the answer is sent. */
  void get(Flight.Ticket ticket, StreamObserver<WireMessage> observer) {
    var output = new BatchOutput((ServerCallStreamObserver<WireMessage>) observer, usage);
    Call call = calls.begin();
    try {
      switch (CommandDecoder.read(ticket.getTicket())) {
        case FlightCommand.Started(var message) ->
            send(statements.read(message, call), call, output);
        case FlightCommand.Metadata(var question) ->
            threads.queries().execute(() -> answer(question, call, output));
        case FlightCommand _ ->
            throw FlightErrors.invalid("ask for a FlightInfo first, and fetch the ticket it gives");
      }
    } catch (RuntimeException e) {
      output.fail(errors.status(e));
    }
  }

  private void send(Handle ticket, Call call, BatchOutput output) {
    if (statements.isHere(ticket)) {
      send(statements.claim(ticket), output);
    } else {
      threads.queries().execute(() -> startAndSend(ticket, call, output));
    }
  }

  private void startAndSend(Handle ticket, Call call, BatchOutput output) {
    try {
      send(statements.startHere(ticket, call), output);
    } catch (Throwable t) {
      output.fail(errors.status(t));
    }
  }

  private void send(QueryResult result, BatchOutput output) {
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
                output,
                threads.streams(),
                errors,
                clock,
                () -> {
                  results.ended(result);
                  onEnd.run();
                }));
  }

  private void answer(MetadataQuestion question, Call call, BatchOutput output) {
    try {
      MetadataBatches batches = metadata.answer(question, call);
      senders.start(
          onEnd -> new BatchSender(batches, output, threads.streams(), errors, clock, onEnd));
    } catch (Throwable t) {
      output.fail(errors.status(t));
    }
  }
}
