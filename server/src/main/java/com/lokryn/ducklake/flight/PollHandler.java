package com.lokryn.ducklake.flight;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.lokryn.ducklake.flight.Handles.Kind;
import com.lokryn.ducklake.observe.QueryId;
import com.lokryn.ducklake.query.Admission;
import com.lokryn.ducklake.query.Expiring;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.QueryException;
import com.lokryn.ducklake.query.Session;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.sql.impl.FlightSql;

/**
 * PollFlightInfo: starts a query and answers before it has rows. The client asks again with the
 * descriptor of the answer, and learns how far the query is, until the answer has no descriptor and
 * the info has endpoints. A query that nobody asks for any more is ended. Thread-safe.
 */
final class PollHandler {
  /** An answer is held back this long for a query that may end meanwhile. */
  private static final Duration WAIT = Duration.ofSeconds(1);

  /** How long a client may stay away; it is told so. */
  static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Makes the info that GetFlightInfo would answer. */
  interface Planner {
    Flight.FlightInfo info(Flight.FlightDescriptor descriptor, Call call) throws Exception;
  }

  /**
   * A query that is asked for.
   *
   * @param asked what the client asked for at first
   * @param info the answer, when there is one
   */
  record Polled(
      String id,
      Call call,
      Flight.FlightDescriptor asked,
      CompletableFuture<Flight.FlightInfo> info) {
    Session session() {
      return call.session();
    }

    /** Gives it up; one that has rows already belongs to its ticket. */
    boolean end(Problem problem, String text) {
      if (info.isDone()) {
        return false;
      }
      call.cancellation().cancel(problem, text);
      return true;
    }
  }

  private final Calls calls;
  private final Planner planner;
  private final Admission statements;
  private final Expiring<Polled> polled;
  private final InstantSource clock;
  private final Handles handles;

  PollHandler(
      Calls calls,
      Planner planner,
      Admission statements,
      Expiring<Polled> polled,
      InstantSource clock,
      Handles handles) {
    this.handles = handles;
    this.calls = calls;
    this.planner = planner;
    this.statements = statements;
    this.polled = polled;
    this.clock = clock;
  }

  /** Keeps what clients poll for, until they stay away. */
  static Expiring<Polled> kept(InstantSource clock) {
    return new Expiring<>(
        clock,
        PATIENCE,
        _ -> false,
        one -> {
          var _ = one.end(Problem.CANCELLED, "the client did not ask for it any more");
        });
  }

  /** Answers when the query has rows or has failed, but not later than after a second. */
  CompletableFuture<Flight.PollInfo> poll(Flight.FlightDescriptor descriptor) {
    Call call = calls.begin();
    Polled query =
        handle(descriptor).map(id -> find(id, call)).orElseGet(() -> begin(descriptor, call));
    return query
        .info
        .thenApply(Optional::of)
        .copy()
        .completeOnTimeout(Optional.empty(), WAIT.toMillis(), TimeUnit.MILLISECONDS)
        .whenComplete(
            (_, failure) -> {
              if (failure != null) {
                polled.take(query.id);
              }
            })
        .thenApply(info -> answer(query, info));
  }

  private Polled begin(Flight.FlightDescriptor descriptor, Call call) {
    var query = new Polled(QueryId.random().value(), call, descriptor, new CompletableFuture<>());
    call.cancellation().watch();
    polled.put(query.id, query);
    statements.run(
        call.session(),
        call.cancellation(),
        () -> {
          try {
            call.cancellation().check();
            query.info.complete(planner.info(descriptor, call));
          } catch (Throwable t) {
            query.info.completeExceptionally(t);
          }
        });
    return query;
  }

  private Polled find(ByteString handle, Call call) {
    return polled
        .touch(handles.read(Kind.POLL, handle, call.session().user()).id())
        .orElseThrow(
            () ->
                new QueryException(
                    Problem.UNKNOWN_HANDLE,
                    "no such query here: it has failed or was cancelled, is on another server, or was not asked for within %d s"
                        .formatted(PATIENCE.toSeconds())));
  }

  private Flight.PollInfo answer(Polled query, Optional<Flight.FlightInfo> info) {
    var answer = Flight.PollInfo.newBuilder();
    if (info.isPresent()) {
      return answer.setInfo(info.get()).setProgress(1).build();
    }
    OptionalDouble progress = query.call.cancellation().progress();
    progress.ifPresent(answer::setProgress);
    Instant until = clock.instant().plus(PATIENCE);
    ByteString handle =
        handles.write(Kind.POLL, query.id, query.session().user(), Optional.empty());
    return answer
        .setInfo(
            Flight.FlightInfo.newBuilder()
                .setFlightDescriptor(query.asked)
                .setAppMetadata(handle)
                .setTotalRecords(-1)
                .setTotalBytes(-1))
        .setFlightDescriptor(
            Flight.FlightDescriptor.newBuilder()
                .setType(Flight.FlightDescriptor.DescriptorType.CMD)
                .setCmd(
                    Any.pack(
                            FlightSql.TicketStatementQuery.newBuilder()
                                .setStatementHandle(handle)
                                .build())
                        .toByteString()))
        .setExpirationTime(Actions.timestamp(until))
        .build();
  }

  /** Ends a query that has no endpoints yet. */
  boolean cancel(Flight.FlightInfo info, Call call) {
    if (!handles.isOf(Kind.POLL, info.getAppMetadata())) {
      return false;
    }
    Optional<Polled> found =
        polled.take(handles.read(Kind.POLL, info.getAppMetadata(), call.session().user()).id());
    return found.isPresent() && found.get().end(Problem.CANCELLED, "the client cancelled");
  }

  private Optional<ByteString> handle(Flight.FlightDescriptor descriptor) {
    return descriptor.getType() == Flight.FlightDescriptor.DescriptorType.CMD
            && CommandDecoder.read(descriptor.getCmd()) instanceof FlightCommand.Started(var ticket)
        ? Optional.of(ticket.getStatementHandle()).filter(handle -> handles.isOf(Kind.POLL, handle))
        : Optional.empty();
  }
}
