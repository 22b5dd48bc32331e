package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingRemoteServer;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.Ticket;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Handles of one server of a lake at another: what moves, what does not, and what is refused. */
class HandlesIT {
  private static final String SECRET = "0123456789abcdef0123456789abcdef";
  private static TestingProduction services;
  private static TestingRemoteServer first;
  private static TestingRemoteServer second;
  private static TestingRemoteServer stranger;
  private static TestingClient here;
  private static TestingClient there;

  @BeforeAll
  static void start() throws Exception {
    services = new TestingProduction();
    String lake = services.newLake();
    first = serve(lake, Map.of("flight_token_secret", SECRET));
    second = serve(lake, Map.of("flight_token_secret", SECRET));
    stranger = serve(lake, Map.of());
    here = first.connect();
    there = second.connect();
    here.update("CREATE TABLE t AS SELECT i FROM range(100) r(i)");
    here.update("CREATE SCHEMA other");
    here.update("CREATE TABLE other.u AS SELECT 7 AS i");
  }

  private static TestingRemoteServer serve(String lake, Map<String, String> settings)
      throws Exception {
    return TestingRemoteServer.start(services, lake, services.aws().endpoint(), settings);
  }

  @AfterAll
  static void stop() throws Exception {
    here.close();
    there.close();
    first.close();
    second.close();
    stranger.close();
    services.close();
  }

  private static Flight.FlightInfo info(TestingClient at, Message command) {
    return at.raw()
        .getFlightInfo(
            Flight.FlightDescriptor.newBuilder()
                .setType(Flight.FlightDescriptor.DescriptorType.CMD)
                .setCmd(Any.pack(command).toByteString())
                .build());
  }

  private static Flight.FlightInfo query(TestingClient at, String sql) {
    return info(at, FlightSql.CommandStatementQuery.newBuilder().setQuery(sql).build());
  }

  private static ByteString ticket(Flight.FlightInfo info) {
    return info.getEndpoint(0).getTicket().getTicket();
  }

  private static List<List<Object>> fetch(TestingClient at, ByteString ticket) throws Exception {
    try (FlightStream stream = at.flight().getStream(new Ticket(ticket.toByteArray()))) {
      return TestingClient.rows(stream);
    }
  }

  private static Status fails(TestingClient at, ByteString ticket) {
    return catchThrowableOfType(
            StatusRuntimeException.class,
            () -> {
              var _ =
                  at.raw().doGet(Flight.Ticket.newBuilder().setTicket(ticket).build()).hasNext();
            })
        .getStatus();
  }

  @Test
  void aReadingStatementsTicketIsGoodOnEachServer() throws Exception {
    ByteString ticket = ticket(query(here, "SELECT sum(i)::BIGINT AS s FROM t"));
    assertThat(fetch(there, ticket)).isEqualTo(List.of(List.of(4_950L)));
    assertThat(fetch(there, ticket)).isEqualTo(List.of(List.of(4_950L)));
    assertThat(fetch(here, ticket)).isEqualTo(List.of(List.of(4_950L)));
    // Where it was made it is fetched once.
    assertThat(fails(here, ticket).getCode()).isEqualTo(Status.Code.NOT_FOUND);
  }

  @Test
  void namesAreLookedUpWhereTheyWere() throws Exception {
    try (TestingClient client = first.connect()) {
      client.update("USE lake.other");
      assertThat(fetch(there, ticket(query(client, "SELECT i FROM u"))))
          .isEqualTo(List.of(List.of(7)));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "INSERT INTO t SELECT 1 WHERE false",
        "FROM ducklake_expire_snapshots('lake', older_than => now() - INTERVAL 1000 DAYS)",
        "CREATE OR REPLACE TABLE lake.main.w AS SELECT 1 AS i",
      })
  void whatMayChangeSomethingIsNotRunTwice(String sql) {
    ByteString ticket = ticket(query(here, sql));
    Status status = fails(there, ticket);
    assertThat(status.getCode()).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(status.getDescription()).contains("is on another server");
  }

  @Test
  void whatASessionHoldsStaysThere() throws Exception {
    try (TestingClient client = first.connect()) {
      client.update("CREATE TEMP TABLE mine AS SELECT 1 AS i");
      ByteString ticket = ticket(query(client, "SELECT i FROM mine"));
      assertThat(fails(there, ticket).getDescription()).contains("temporary objects");
      assertThat(fetch(client, ticket)).isEqualTo(List.of(List.of(1)));
    }
    var transaction = here.sql().beginTransaction();
    try {
      Status status =
          catchThrowableOfType(
                  StatusRuntimeException.class,
                  () ->
                      info(
                          there,
                          FlightSql.CommandStatementQuery.newBuilder()
                              .setQuery("SELECT 1")
                              .setTransactionId(ByteString.copyFrom(transaction.getTransactionId()))
                              .build()))
              .getStatus();
      assertThat(status.getCode()).isEqualTo(Status.Code.NOT_FOUND);
      assertThat(status.getDescription()).contains("this transaction is on another server");
    } finally {
      here.sql().rollback(transaction);
    }
  }

  @Test
  void aPreparedReadingStatementIsPlannedWhereItIsUsed() throws Exception {
    ByteString handle = prepare("SELECT count(*) FROM t WHERE i < 50");
    var command =
        FlightSql.CommandPreparedStatementQuery.newBuilder()
            .setPreparedStatementHandle(handle)
            .build();
    for (int run = 0; run < 2; run++) {
      assertThat(fetch(there, ticket(info(there, command)))).isEqualTo(List.of(List.of(50L)));
    }
    assertThat(fetch(here, ticket(info(here, command)))).isEqualTo(List.of(List.of(50L)));

    ByteString change = prepare("DELETE FROM t WHERE i < 0");
    Status status =
        catchThrowableOfType(
                StatusRuntimeException.class,
                () ->
                    info(
                        there,
                        FlightSql.CommandPreparedStatementQuery.newBuilder()
                            .setPreparedStatementHandle(change)
                            .build()))
            .getStatus();
    assertThat(status.getDescription()).contains("is on another server", "it changes something");
  }

  private static ByteString prepare(String sql) throws Exception {
    Flight.Result result =
        here.raw()
            .doAction(
                Flight.Action.newBuilder()
                    .setType("CreatePreparedStatement")
                    .setBody(
                        Any.pack(
                                FlightSql.ActionCreatePreparedStatementRequest.newBuilder()
                                    .setQuery(sql)
                                    .build())
                            .toByteString())
                    .build())
            .next();
    return Any.parseFrom(result.getBody())
        .unpack(FlightSql.ActionCreatePreparedStatementResult.class)
        .getPreparedStatementHandle();
  }

  /** Each bit of it: nothing of a handle can be changed, least of all its statement. */
  @Test
  void anAlteredHandleIsRefused() throws Exception {
    var whole = Any.parseFrom(ticket(query(here, "SELECT 1 AS i")));
    byte[] handle =
        whole.unpack(FlightSql.TicketStatementQuery.class).getStatementHandle().toByteArray();
    for (int at = 0; at < handle.length; at++) {
      byte[] altered = handle.clone();
      altered[at] ^= 1;
      assertThat(fails(there, packed(altered)).getCode())
          .describedAs("byte " + at)
          .isEqualTo(Status.Code.NOT_FOUND);
    }
    for (int length = 0; length < handle.length; length++) {
      assertThat(fails(there, packed(java.util.Arrays.copyOf(handle, length))).getCode())
          .isEqualTo(Status.Code.NOT_FOUND);
    }
  }

  private static ByteString packed(byte[] handle) {
    return Any.pack(
            FlightSql.TicketStatementQuery.newBuilder()
                .setStatementHandle(ByteString.copyFrom(handle))
                .build())
        .toByteString();
  }

  @Test
  void aServerWithAnotherSecretTakesNone() throws Exception {
    try (TestingClient client = stranger.connect()) {
      Status status = fails(client, ticket(query(here, "SELECT 1 AS i")));
      assertThat(status.getCode()).isEqualTo(Status.Code.NOT_FOUND);
      assertThat(status.getDescription()).contains("flight_token_secret");
    }
  }
}
