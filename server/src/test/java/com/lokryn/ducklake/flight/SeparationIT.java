package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingUsers;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flight.CloseSessionRequest;
import org.apache.arrow.flight.FlightInfo;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What one user has begun is not another's to read, poll, renew, cancel or end, not an admin's
 * either.
 */
class SeparationIT {
  private static final String LONG =
      "SELECT count(*) FROM range(10000000000) a(i), range(10000000000) b(j)";

  private TestingLakeServer server;
  private TestingClient ria;
  private TestingClient root;

  @BeforeEach
  void start() throws Exception {
    server = TestingLakeServer.start(Map.of("flight_users", TestingUsers.each()));
    ria = TestingClient.of(server.port(), "ria", TestingUsers.PASSWORD);
    root = TestingClient.of(server.port(), "root", TestingUsers.PASSWORD);
  }

  @AfterEach
  void stop() throws Exception {
    ria.close();
    root.close();
    server.close();
  }

  private static Flight.FlightDescriptor query(String sql) {
    return Flight.FlightDescriptor.newBuilder()
        .setType(Flight.FlightDescriptor.DescriptorType.CMD)
        .setCmd(
            Any.pack(FlightSql.CommandStatementQuery.newBuilder().setQuery(sql).build())
                .toByteString())
        .build();
  }

  private static Flight.CancelStatus cancel(TestingClient client, Flight.FlightInfo info)
      throws Exception {
    return Flight.CancelFlightInfoResult.parseFrom(
            act(
                client,
                "CancelFlightInfo",
                Flight.CancelFlightInfoRequest.newBuilder().setInfo(info).build()))
        .getStatus();
  }

  private static com.google.protobuf.ByteString act(
      TestingClient client, String type, Message body) {
    return client
        .raw()
        .doAction(Flight.Action.newBuilder().setType(type).setBody(body.toByteString()).build())
        .next()
        .getBody();
  }

  private static void refused(Runnable request) {
    Status status = catchThrowableOfType(StatusRuntimeException.class, request::run).getStatus();
    assertThat(status.getCode()).isIn(Status.Code.NOT_FOUND, Status.Code.PERMISSION_DENIED);
  }

  @Test
  void aRunningQueryIsPolledAndCancelledByItsUser() throws Exception {
    Flight.PollInfo running = ria.raw().pollFlightInfo(query(LONG));
    refused(() -> root.raw().pollFlightInfo(running.getFlightDescriptor()));
    try {
      assertThat(cancel(root, running.getInfo()))
          .isNotEqualTo(Flight.CancelStatus.CANCEL_STATUS_CANCELLED);
    } catch (StatusRuntimeException e) {
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    }
    assertThat(ria.raw().pollFlightInfo(running.getFlightDescriptor()).hasFlightDescriptor())
        .isTrue();
    assertThat(cancel(ria, running.getInfo()))
        .isEqualTo(Flight.CancelStatus.CANCEL_STATUS_CANCELLED);
  }

  @Test
  void aResultIsReadRenewedAndCancelledByItsUser() throws Exception {
    FlightInfo info = ria.info("SELECT 42");
    Flight.FlightInfo sent = Flight.FlightInfo.parseFrom(info.serialize());
    refused(
        () ->
            act(
                root,
                "RenewFlightEndpoint",
                Flight.RenewFlightEndpointRequest.newBuilder()
                    .setEndpoint(sent.getEndpoint(0))
                    .build()));
    refused(() -> root.raw().doGet(sent.getEndpoint(0).getTicket()).next());
    try {
      assertThat(cancel(root, sent)).isNotEqualTo(Flight.CancelStatus.CANCEL_STATUS_CANCELLED);
    } catch (StatusRuntimeException e) {
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    }
    try (FlightStream stream = ria.stream(info)) {
      assertThat(TestingClient.rows(stream)).isEqualTo(List.of(List.of(42)));
    }
  }

  @Test
  void aSessionIsItsUsers() throws Exception {
    ria.update("CREATE TEMP TABLE own AS SELECT 7 AS i");
    ria.update("SET VARIABLE v = 5");
    ria.update("PREPARE p AS SELECT 9");
    assertThat(root.value("SELECT getvariable('v') IS NULL")).isEqualTo(true);
    assertThat(catchThrowableOfType(RuntimeException.class, () -> root.info("FROM temp.own")))
        .hasMessageContaining("own");
    assertThat(catchThrowableOfType(RuntimeException.class, () -> root.info("EXECUTE p")))
        .hasMessageContaining("no statement of the name p");
    root.sql().closeSession(new CloseSessionRequest());
    assertThat(ria.value("SELECT i + getvariable('v') FROM own")).isEqualTo(12);
  }
}
