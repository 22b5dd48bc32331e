package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.impl.FlightServiceGrpc;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that are too large to be read. */
class RequestLimitIT {
  private static TestingLakeServer server;

  @BeforeAll
  static void start() throws Exception {
    server = TestingLakeServer.start();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"identity", "gzip"})
  void aLargeRequestIsRefused(String compression) throws Exception {
    ByteString large = ByteString.copyFrom(new byte[RequestLimit.MAX_BYTES + 1]);
    try (TestingClient client = server.connect()) {
      FlightServiceGrpc.FlightServiceBlockingStub stub = client.raw().withCompression(compression);
      var descriptor =
          Flight.FlightDescriptor.newBuilder()
              .setType(Flight.FlightDescriptor.DescriptorType.CMD)
              .setCmd(large)
              .build();
      assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> stub.getFlightInfo(descriptor))
          .contains("32 MiB");
      assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> stub.getSchema(descriptor));
      var ticket = Flight.Ticket.newBuilder().setTicket(large).build();
      assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> stub.doGet(ticket).hasNext());
      var action = Flight.Action.newBuilder().setType("CreatePreparedStatement").setBody(large);
      assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> stub.doAction(action.build()).hasNext());
      assertThat(client.value("SELECT 1")).isEqualTo(1);
    }
  }
}
