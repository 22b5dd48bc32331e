package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.lokryn.ducklake.testing.LocalServer;
import com.lokryn.ducklake.testing.TestingClient;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.apache.arrow.flight.FlightInfo;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** PollFlightInfo, and the ways to end a query or to have it wait longer. */
class PollIT {
  /** Takes minutes, if it is let. */
  private static final String LONG =
      "SELECT count(*) FROM range(100000000) a(i), range(1000) b(j) WHERE (i * j) % 7 = 3";

  @RegisterExtension static final LocalServer server = new LocalServer();

  private TestingClient client;

  @BeforeEach
  void connect() {
    client = server.connect();
  }

  private static Flight.FlightDescriptor query(String sql) {
    return command(FlightSql.CommandStatementQuery.newBuilder().setQuery(sql).build());
  }

  private static Flight.FlightDescriptor command(Message message) {
    return Flight.FlightDescriptor.newBuilder()
        .setType(Flight.FlightDescriptor.DescriptorType.CMD)
        .setCmd(Any.pack(message).toByteString())
        .build();
  }

  private Flight.PollInfo poll(Flight.FlightDescriptor descriptor) {
    return client.raw().pollFlightInfo(descriptor);
  }

  private List<List<Object>> rows(Flight.FlightInfo info) throws Exception {
    try (FlightStream stream =
        client.stream(FlightInfo.deserialize(info.toByteString().asReadOnlyByteBuffer()))) {
      return TestingClient.rows(stream);
    }
  }

  private Flight.CancelStatus cancel(Flight.FlightInfo info) throws Exception {
    Flight.Action action =
        Flight.Action.newBuilder()
            .setType("CancelFlightInfo")
            .setBody(
                Flight.CancelFlightInfoRequest.newBuilder().setInfo(info).build().toByteString())
            .build();
    return Flight.CancelFlightInfoResult.parseFrom(client.raw().doAction(action).next().getBody())
        .getStatus();
  }

  private static Status.Code code(Runnable request) {
    return catchThrowableOfType(StatusRuntimeException.class, request::run).getStatus().getCode();
  }

  @Test
  void aShortQueryIsThereAtOnce() throws Exception {
    Flight.PollInfo answer = poll(query("SELECT 42 AS a"));
    assertThat(answer.hasFlightDescriptor()).isFalse();
    assertThat(answer.getProgress()).isEqualTo(1);
    assertThat(rows(answer.getInfo())).isEqualTo(List.of(List.of(42)));
  }

  @Test
  void aLongQueryIsPolledUntilItHasRows() throws Exception {
    client.update("CREATE OR REPLACE TABLE t AS SELECT i FROM range(3000000) r(i)");
    Flight.FlightDescriptor asked =
        query("SELECT sum(list_sum(list_transform(range(400), x -> x * i % 7))) FROM t");
    Flight.PollInfo answer = poll(asked);
    int polls = 1;
    double progress = 0;
    while (answer.hasFlightDescriptor()) {
      assertThat(answer.getInfo().getEndpointList()).isEmpty();
      assertThat(answer.getInfo().getFlightDescriptor()).isEqualTo(asked);
      assertThat(answer.hasExpirationTime()).isTrue();
      if (answer.hasProgress()) {
        assertThat(answer.getProgress()).isBetween(progress, 1.0);
        progress = answer.getProgress();
      }
      answer = poll(answer.getFlightDescriptor());
      polls++;
    }
    assertThat(polls).isGreaterThan(1);
    assertThat(progress).isPositive();
    assertThat(rows(answer.getInfo()).getFirst().getFirst()).isNotNull();
  }

  @Test
  void aRunningQueryIsCancelledByItsInfo() throws Exception {
    Flight.PollInfo answer = poll(query(LONG));
    assertThat(answer.hasFlightDescriptor()).isTrue();
    assertThat(cancel(answer.getInfo())).isEqualTo(Flight.CancelStatus.CANCEL_STATUS_CANCELLED);
    assertThat(code(() -> poll(answer.getFlightDescriptor()))).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(cancel(answer.getInfo()))
        .isEqualTo(Flight.CancelStatus.CANCEL_STATUS_NOT_CANCELLABLE);
  }

  @Test
  void aClientThatGoesEndsWhatItPolledFor() throws Exception {
    assertThat(poll(query(LONG)).hasFlightDescriptor()).isTrue();
    client.die();
    await().atMost(Duration.ofSeconds(10)).until(() -> server.server().openConnections() == 0);
  }

  @Test
  void errorsComeWithTheirStatusWheneverTheyAreFound() throws Exception {
    assertThat(code(() -> poll(query("SELECT nonsense")))).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(code(() -> poll(Flight.FlightDescriptor.getDefaultInstance())))
        .isEqualTo(Status.Code.NOT_FOUND);
    assertThat(
            code(() -> poll(command(FlightSql.CommandStatementSubstraitPlan.getDefaultInstance()))))
        .isEqualTo(Status.Code.UNIMPLEMENTED);
    Flight.FlightDescriptor late =
        query(
            "SELECT max(CASE WHEN i = 99999999 THEN error('late') ELSE i END) FROM"
                + " range(400000000) r(i)");
    StatusRuntimeException failure =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> {
              Flight.PollInfo next = poll(late);
              while (next.hasFlightDescriptor()) {
                next = poll(next.getFlightDescriptor());
              }
            });
    assertThat(failure.getStatus().getDescription()).contains("late");
  }

  @Test
  void metadataIsPolledToo() throws Exception {
    Flight.PollInfo answer = poll(command(FlightSql.CommandGetCatalogs.getDefaultInstance()));
    assertThat(answer.hasFlightDescriptor()).isFalse();
    assertThat(rows(answer.getInfo())).isEqualTo(List.of(List.of("lake"), List.of("server")));
  }

  @Test
  void aPollThatWasGuessedIsNotFound() {
    assertThat(
            code(
                () ->
                    poll(
                        command(
                            FlightSql.TicketStatementQuery.newBuilder()
                                .setStatementHandle(
                                    com.google.protobuf.ByteString.copyFromUtf8(
                                        "\u0001q and a guess that is longer than any signature is"))
                                .build()))))
        .isEqualTo(Status.Code.NOT_FOUND);
  }

  @Test
  @SuppressWarnings("deprecation") // It is the older form that is tried.
  void theOlderCancelQueryEndsAQueryToo() throws Exception {
    Flight.FlightInfo info =
        client.raw().getFlightInfo(query("SELECT i FROM range(1e9::BIGINT) r(i)"));
    Flight.Action action =
        Flight.Action.newBuilder()
            .setType("CancelQuery")
            .setBody(
                Any.pack(
                        FlightSql.ActionCancelQueryRequest.newBuilder()
                            .setInfo(info.toByteString())
                            .build())
                    .toByteString())
            .build();
    assertThat(cancelled(action))
        .isEqualTo(FlightSql.ActionCancelQueryResult.CancelResult.CANCEL_RESULT_CANCELLED);
    assertThat(cancelled(action))
        .isEqualTo(FlightSql.ActionCancelQueryResult.CancelResult.CANCEL_RESULT_NOT_CANCELLABLE);
  }

  @SuppressWarnings("deprecation")
  private FlightSql.ActionCancelQueryResult.CancelResult cancelled(Flight.Action action)
      throws Exception {
    return Any.parseFrom(client.raw().doAction(action).next().getBody())
        .unpack(FlightSql.ActionCancelQueryResult.class)
        .getResult();
  }

  @Test
  void aResultThatWaitsCanBeKeptForLonger() throws Exception {
    Flight.FlightInfo info = client.raw().getFlightInfo(query("SELECT 7 AS a"));
    Flight.FlightEndpoint renewed = renew(info.getEndpoint(0));
    assertThat(renewed.getTicket()).isEqualTo(info.getEndpoint(0).getTicket());
    assertThat(renewed.getExpirationTime().getSeconds())
        .isBetween(Instant.now().getEpochSecond() + 30, Instant.now().getEpochSecond() + 90);
    assertThat(rows(info)).isEqualTo(List.of(List.of(7)));
    assertThat(code(() -> renew(info.getEndpoint(0)))).isEqualTo(Status.Code.NOT_FOUND);
  }

  private Flight.FlightEndpoint renew(Flight.FlightEndpoint endpoint) {
    Flight.Action action =
        Flight.Action.newBuilder()
            .setType("RenewFlightEndpoint")
            .setBody(
                Flight.RenewFlightEndpointRequest.newBuilder()
                    .setEndpoint(endpoint)
                    .build()
                    .toByteString())
            .build();
    try {
      return Flight.FlightEndpoint.parseFrom(client.raw().doAction(action).next().getBody());
    } catch (com.google.protobuf.InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whatIsNotThereIsRefused() {
    for (String name :
        List.of("BeginSavepoint", "EndSavepoint", "CreatePreparedSubstraitPlan", "Nonsense")) {
      assertThat(code(() -> act(name))).describedAs(name).isEqualTo(Status.Code.UNIMPLEMENTED);
    }
  }

  private void act(String name) {
    var _ = client.raw().doAction(Flight.Action.newBuilder().setType(name).build()).hasNext();
  }
}
