package com.lokryn.ducklake.flight;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.Results;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.List;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.impl.FlightServiceGrpc;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * The calls of Flight that carry no batches. They are served here rather than by Arrow's own
 * service because that one waits for its handler on gRPC's thread, and a handler here may have to
 * wait for a query.
 */
final class LakeFlightService extends FlightServiceGrpc.FlightServiceImplBase {
  private static final String CANCEL_FLIGHT_INFO = "CancelFlightInfo";
  private static final String CREATE_PREPARED = "CreatePreparedStatement";
  private static final String CLOSE_PREPARED = "ClosePreparedStatement";
  private static final String BEGIN_TRANSACTION = "BeginTransaction";
  private static final String END_TRANSACTION = "EndTransaction";

  private final Calls calls;
  private final StatementHandler statements;
  private final PreparedHandler prepared;
  private final TransactionHandler transactions;
  private final Results results;
  private final FlightInfos infos;
  private final SchemaBytes schemas;

  LakeFlightService(
      Calls calls,
      StatementHandler statements,
      PreparedHandler prepared,
      TransactionHandler transactions,
      Results results,
      FlightInfos infos,
      SchemaBytes schemas) {
    this.infos = infos;
    this.schemas = schemas;
    this.calls = calls;
    this.statements = statements;
    this.prepared = prepared;
    this.transactions = transactions;
    this.results = results;
  }

  @Override
  public void getFlightInfo(
      Flight.FlightDescriptor descriptor, StreamObserver<Flight.FlightInfo> observer) {
    calls.unary(observer, call -> info(descriptor, call));
  }

  private Flight.FlightInfo info(Flight.FlightDescriptor descriptor, Call call) throws Exception {
    return switch (readable(descriptor)) {
      case FlightCommand.Query(var message) -> statements.info(message, descriptor, call);
      case FlightCommand.Prepared(var message) -> prepared.info(message, descriptor, call);
      case FlightCommand.Metadata(var question) -> {
        question.requireComplete();
        yield infos.of(question.schema(), descriptor, descriptor.getCmd());
      }
      case FlightCommand.Started _ -> throw FlightErrors.invalid("a ticket is fetched with DoGet");
      case FlightCommand.Refused(var name) ->
          throw FlightErrors.unsupported(name + " are not supported");
    };
  }

  @Override
  public void getSchema(
      Flight.FlightDescriptor descriptor, StreamObserver<Flight.SchemaResult> observer) {
    calls.unary(
        observer,
        call ->
            Flight.SchemaResult.newBuilder()
                .setSchema(schemas.of(schema(descriptor, call)))
                .build());
  }

  private Schema schema(Flight.FlightDescriptor descriptor, Call call) throws Exception {
    return switch (readable(descriptor)) {
      case FlightCommand.Query(var message) -> statements.schema(message, call);
      case FlightCommand.Prepared(var message) -> prepared.schema(message);
      case FlightCommand.Metadata(var question) -> question.schema();
      case FlightCommand.Started _ -> throw FlightErrors.invalid("a ticket is fetched with DoGet");
      case FlightCommand.Refused(var name) ->
          throw FlightErrors.unsupported(name + " are not supported");
    };
  }

  @Override
  public void doAction(Flight.Action action, StreamObserver<Flight.Result> observer) {
    switch (action.getType()) {
      case CLOSE_PREPARED -> calls.here(observer, _ -> close(action));
      // Not behind the statements that it is to end.
      case CANCEL_FLIGHT_INFO -> calls.here(observer, _ -> cancel(action));
      default -> calls.several(observer, call -> act(action, call));
    }
  }

  private List<Flight.Result> close(Flight.Action action) {
    prepared.close(unpack(action, FlightSql.ActionClosePreparedStatementRequest.class));
    return List.of();
  }

  private List<Flight.Result> act(Flight.Action action, Call call) throws Exception {
    return switch (action.getType()) {
      case CREATE_PREPARED ->
          packed(
              prepared.create(
                  unpack(action, FlightSql.ActionCreatePreparedStatementRequest.class), call));
      case BEGIN_TRANSACTION -> {
        unpack(action, FlightSql.ActionBeginTransactionRequest.class);
        yield packed(transactions.begin(call));
      }
      case END_TRANSACTION -> {
        transactions.end(unpack(action, FlightSql.ActionEndTransactionRequest.class), call);
        yield List.of();
      }
      default ->
          throw FlightErrors.unsupported(
              "the action %s is not supported".formatted(action.getType()));
    };
  }

  private List<Flight.Result> cancel(Flight.Action action) throws InvalidProtocolBufferException {
    return List.of(plain(cancel(Flight.CancelFlightInfoRequest.parseFrom(action.getBody()))));
  }

  private Flight.CancelFlightInfoResult cancel(Flight.CancelFlightInfoRequest request) {
    boolean found = false;
    for (Flight.FlightEndpoint endpoint : request.getInfo().getEndpointList()) {
      if (CommandDecoder.read(endpoint.getTicket().getTicket())
          instanceof FlightCommand.Started(var ticket)) {
        found |=
            results.cancel(
                ticket.getStatementHandle().toStringUtf8(),
                Problem.CANCELLED,
                "the client cancelled");
      }
    }
    return Flight.CancelFlightInfoResult.newBuilder()
        .setStatus(
            found
                ? Flight.CancelStatus.CANCEL_STATUS_CANCELLED
                : Flight.CancelStatus.CANCEL_STATUS_NOT_CANCELLABLE)
        .build();
  }

  @Override
  public void listActions(Flight.Empty request, StreamObserver<Flight.ActionType> observer) {
    calls.here(
        observer,
        _ ->
            List.of(
                action(CREATE_PREPARED, "Plans a statement for later runs"),
                action(CLOSE_PREPARED, "Forgets a planned statement"),
                action(BEGIN_TRANSACTION, "Begins a transaction"),
                action(END_TRANSACTION, "Commits a transaction or rolls it back"),
                action(CANCEL_FLIGHT_INFO, "Ends a query")));
  }

  @Override
  public void listFlights(Flight.Criteria criteria, StreamObserver<Flight.FlightInfo> observer) {
    calls.here(observer, _ -> List.of());
  }

  @Override
  public StreamObserver<Flight.HandshakeRequest> handshake(
      StreamObserver<Flight.HandshakeResponse> observer) {
    // Drivers that were given a password come here first, for the token of the answer's headers.
    return new StreamObserver<>() {
      @Override
      public void onNext(Flight.HandshakeRequest request) {}

      @Override
      public void onError(Throwable thrown) {}

      @Override
      public void onCompleted() {
        observer.onNext(Flight.HandshakeResponse.getDefaultInstance());
        observer.onCompleted();
      }
    };
  }

  private static FlightCommand.RowSource readable(Flight.FlightDescriptor descriptor) {
    if (descriptor.getType() != Flight.FlightDescriptor.DescriptorType.CMD) {
      throw Status.NOT_FOUND
          .withDescription("there are no flights by path: send a Flight SQL command")
          .asRuntimeException();
    }
    if (CommandDecoder.read(descriptor.getCmd()) instanceof FlightCommand.RowSource command) {
      return command;
    }
    throw FlightErrors.invalid("this command gives no rows: send it with DoPut");
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
    return List.of(plain(Any.pack(message)));
  }

  private static Flight.Result plain(Message message) {
    return Flight.Result.newBuilder().setBody(message.toByteString()).build();
  }

  private static Flight.ActionType action(String name, String description) {
    return Flight.ActionType.newBuilder().setType(name).setDescription(description).build();
  }
}
