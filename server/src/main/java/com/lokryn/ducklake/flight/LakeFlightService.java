package com.lokryn.ducklake.flight;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.impl.FlightServiceGrpc;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * The calls of Flight that carry no batches. They are served here rather than by Arrow's own
 * service because that one waits for its handler on gRPC's thread, and a handler here may have to
 * wait for a query.
 */
final class LakeFlightService extends FlightServiceGrpc.FlightServiceImplBase {
  private final Calls calls;
  private final StatementHandler statements;
  private final PreparedHandler prepared;
  private final FlightInfos infos;
  private final SchemaBytes schemas;
  private final PollHandler polls;
  private final Actions actions;

  /**
   * @param polls makes the handler of polls, from what makes an info
   * @param actions makes the table of actions, from the handler of polls
   */
  LakeFlightService(
      Calls calls,
      StatementHandler statements,
      PreparedHandler prepared,
      FlightInfos infos,
      SchemaBytes schemas,
      Function<PollHandler.Planner, PollHandler> polls,
      Function<PollHandler, Actions> actions) {
    this.calls = calls;
    this.statements = statements;
    this.prepared = prepared;
    this.infos = infos;
    this.schemas = schemas;
    this.polls = polls.apply(this::info);
    this.actions = actions.apply(this.polls);
  }

  @Override
  public void getFlightInfo(
      Flight.FlightDescriptor descriptor, StreamObserver<Flight.FlightInfo> observer) {
    calls.unary(observer, call -> infoAtHand(descriptor, call), call -> info(descriptor, call));
  }

  private Optional<Flight.FlightInfo> infoAtHand(Flight.FlightDescriptor descriptor, Call call) {
    return switch (readable(descriptor)) {
      case FlightCommand.Query(var message) -> statements.infoAtHand(message, descriptor, call);
      case FlightCommand.Prepared(var message) -> prepared.infoAtHand(message, descriptor, call);
      case FlightCommand.RowSource _ -> Optional.empty();
    };
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
  public void pollFlightInfo(
      Flight.FlightDescriptor descriptor, StreamObserver<Flight.PollInfo> observer) {
    calls.later(observer, () -> polls.poll(descriptor));
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
      case FlightCommand.Prepared(var message) -> prepared.schema(message, call);
      case FlightCommand.Metadata(var question) -> question.schema();
      case FlightCommand.Started _ -> throw FlightErrors.invalid("a ticket is fetched with DoGet");
      case FlightCommand.Refused(var name) ->
          throw FlightErrors.unsupported(name + " are not supported");
    };
  }

  @Override
  public void doAction(Flight.Action action, StreamObserver<Flight.Result> observer) {
    actions.run(action, observer);
  }

  @Override
  public void listActions(Flight.Empty request, StreamObserver<Flight.ActionType> observer) {
    calls.here(observer, _ -> actions.types());
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
}
