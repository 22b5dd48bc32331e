package com.lokryn.ducklake.flight;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.lokryn.ducklake.flight.Handles.Handle;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.Results;
import io.grpc.stub.StreamObserver;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.sql.impl.FlightSql;

/** The table of actions: what each is called, what it does, and whether it enters the engine. */
final class Actions {
  /** What an action does. */
  private interface Work {
    List<Flight.Result> run(Flight.Action action, Call call) throws Exception;
  }

  /** One action. */
  private record Kind(String description, Way way, AtHand atHand, Work work) {}

  /** The answer of an action that needs no engine, if there is one. */
  private interface AtHand {
    AtHand NEVER = (_, _) -> Optional.empty();

    Optional<List<Flight.Result>> find(Flight.Action action, Call call);
  }

  /** How an action is done. */
  private enum Way {
    /** On the thread of the request, not behind statements that it may be meant to end. */
    AT_ONCE,
    /** In the engine, as a statement. */
    AS_STATEMENT,
    /** In the engine, before statements that have not begun. */
    AS_END
  }

  private final Calls calls;
  private final PreparedHandler prepared;
  private final TransactionHandler transactions;
  private final StatementHandler statements;
  private final SessionHandler sessions;
  private final PollHandler polls;
  private final Results results;
  private final Map<String, Kind> kinds = new LinkedHashMap<>();

  Actions(
      Calls calls,
      StatementHandler statements,
      PreparedHandler prepared,
      TransactionHandler transactions,
      SessionHandler sessions,
      PollHandler polls,
      Results results) {
    this.calls = calls;
    this.statements = statements;
    this.prepared = prepared;
    this.transactions = transactions;
    this.sessions = sessions;
    this.polls = polls;
    this.results = results;
    kinds.put(
        "CreatePreparedStatement",
        new Kind(
            "Plans a statement for later runs",
            Way.AS_STATEMENT,
            this::prepareAtHand,
            this::prepare));
    atOnce("ClosePreparedStatement", "Forgets a planned statement", this::closePrepared);
    inTheEngine("BeginTransaction", "Begins a transaction", this::begin);
    atTheEnd("EndTransaction", "Commits a transaction or rolls it back", this::end);
    atOnce("CancelFlightInfo", "Ends a query", this::cancelInfo);
    atOnce("CancelQuery", "Ends a query; the older form of CancelFlightInfo", this::cancelQuery);
    atOnce("RenewFlightEndpoint", "Keeps a result for its ticket for longer", this::renew);
    inTheEngine(
        "SetSessionOptions", "Sets catalog, schema and settings of the session", this::setOptions);
    inTheEngine(
        "GetSessionOptions",
        "Lists catalog, schema and settings of the session",
        (_, call) -> plain(sessions.get(call)));
    atTheEnd("CloseSession", "Ends the session", (_, call) -> plain(sessions.close(call)));
  }

  private void inTheEngine(String name, String description, Work work) {
    kinds.put(name, new Kind(description, Way.AS_STATEMENT, AtHand.NEVER, work));
  }

  private void atTheEnd(String name, String description, Work work) {
    kinds.put(name, new Kind(description, Way.AS_END, AtHand.NEVER, work));
  }

  private void atOnce(String name, String description, Work work) {
    kinds.put(name, new Kind(description, Way.AT_ONCE, AtHand.NEVER, work));
  }

  List<Flight.ActionType> types() {
    return kinds.entrySet().stream()
        .map(
            kind ->
                Flight.ActionType.newBuilder()
                    .setType(kind.getKey())
                    .setDescription(kind.getValue().description)
                    .build())
        .toList();
  }

  void run(Flight.Action action, StreamObserver<Flight.Result> observer) {
    Kind kind = kinds.get(action.getType());
    if (kind == null) {
      calls.here(
          observer,
          _ -> {
            throw FlightErrors.unsupported(
                "the action %s is not supported".formatted(action.getType()));
          });
      return;
    }
    switch (kind.way) {
      case AT_ONCE -> calls.here(observer, call -> kind.work.run(action, call));
      case AS_STATEMENT ->
          calls.several(
              observer,
              call -> kind.atHand.find(action, call),
              call -> kind.work.run(action, call));
      case AS_END -> calls.ending(observer, call -> kind.work.run(action, call));
    }
  }

  private List<Flight.Result> prepare(Flight.Action action, Call call) throws Exception {
    return packed(
        prepared.create(
            unpack(action, FlightSql.ActionCreatePreparedStatementRequest.class), call));
  }

  private Optional<List<Flight.Result>> prepareAtHand(Flight.Action action, Call call) {
    return prepared
        .createAtHand(unpack(action, FlightSql.ActionCreatePreparedStatementRequest.class), call)
        .map(Actions::packed);
  }

  private List<Flight.Result> closePrepared(Flight.Action action, Call call) {
    prepared.close(unpack(action, FlightSql.ActionClosePreparedStatementRequest.class), call);
    return List.of();
  }

  private List<Flight.Result> begin(Flight.Action action, Call call) throws Exception {
    unpack(action, FlightSql.ActionBeginTransactionRequest.class);
    return packed(transactions.begin(call));
  }

  private List<Flight.Result> end(Flight.Action action, Call call) throws Exception {
    transactions.end(unpack(action, FlightSql.ActionEndTransactionRequest.class), call);
    return List.of();
  }

  private List<Flight.Result> cancelInfo(Flight.Action action, Call call)
      throws InvalidProtocolBufferException {
    boolean found =
        cancel(Flight.CancelFlightInfoRequest.parseFrom(action.getBody()).getInfo(), call);
    return plain(
        Flight.CancelFlightInfoResult.newBuilder()
            .setStatus(
                found
                    ? Flight.CancelStatus.CANCEL_STATUS_CANCELLED
                    : Flight.CancelStatus.CANCEL_STATUS_NOT_CANCELLABLE)
            .build());
  }

  @SuppressWarnings("deprecation") // Older drivers know no other way to end a query.
  private List<Flight.Result> cancelQuery(Flight.Action action, Call call)
      throws InvalidProtocolBufferException {
    FlightSql.ActionCancelQueryRequest request =
        unpack(action, FlightSql.ActionCancelQueryRequest.class);
    boolean found = cancel(Flight.FlightInfo.parseFrom(request.getInfo()), call);
    return packed(
        FlightSql.ActionCancelQueryResult.newBuilder()
            .setResult(
                found
                    ? FlightSql.ActionCancelQueryResult.CancelResult.CANCEL_RESULT_CANCELLED
                    : FlightSql.ActionCancelQueryResult.CancelResult.CANCEL_RESULT_NOT_CANCELLABLE)
            .build());
  }

  /** Ends a query that runs, waits for its ticket, or is on its way. */
  private boolean cancel(Flight.FlightInfo info, Call call) {
    boolean found = polls.cancel(info, call);
    for (Flight.FlightEndpoint endpoint : info.getEndpointList()) {
      if (CommandDecoder.read(endpoint.getTicket().getTicket())
          instanceof FlightCommand.Started(var ticket)) {
        found |=
            results.cancel(
                statements.read(ticket, call).id(), Problem.CANCELLED, "the client cancelled");
      }
    }
    return found;
  }

  private List<Flight.Result> renew(Flight.Action action, Call call)
      throws InvalidProtocolBufferException {
    Flight.FlightEndpoint endpoint =
        Flight.RenewFlightEndpointRequest.parseFrom(action.getBody()).getEndpoint();
    if (CommandDecoder.read(endpoint.getTicket().getTicket())
        instanceof FlightCommand.Started(var ticket)) {
      Handle handle = statements.read(ticket, call);
      if (statements.isHere(handle)) {
        Instant until = results.renew(handle.id());
        return plain(endpoint.toBuilder().setExpirationTime(timestamp(until)).build());
      }
    }
    // A question is its own ticket, as is that of a statement which any server can run.
    return plain(endpoint);
  }

  private List<Flight.Result> setOptions(Flight.Action action, Call call) throws Exception {
    return plain(sessions.set(Flight.SetSessionOptionsRequest.parseFrom(action.getBody()), call));
  }

  static Timestamp timestamp(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }

  private static <M extends Message> M unpack(Flight.Action action, Class<M> type) {
    try {
      return Any.parseFrom(action.getBody()).unpack(type);
    } catch (InvalidProtocolBufferException e) {
      throw FlightErrors.invalid(
          "the body of the action %s cannot be read".formatted(action.getType()));
    }
  }

  private static List<Flight.Result> packed(Message message) {
    return plain(Any.pack(message));
  }

  private static List<Flight.Result> plain(Message message) {
    return List.of(Flight.Result.newBuilder().setBody(message.toByteString()).build());
  }
}
