package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.KnownLength;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.arrow.flight.grpc.CredentialCallOption;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.impl.FlightServiceGrpc;
import org.junit.jupiter.api.Test;

/** What one connection may do, and how many there may be. */
class ConnectionLimitsIT {
  private static final String HASH =
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

  private static ManagedChannel channel(TestingLakeServer server) {
    return NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
  }

  @Test
  void callsOnMoreConnectionsAreRefused() throws Exception {
    try (var server = TestingLakeServer.start(Map.of("max_connections", "2"));
        TestingClient first = server.connect();
        TestingClient third = server.connect()) {
      assertThat(first.value("SELECT 1")).isEqualTo(1);
      try (TestingClient second = server.connect()) {
        assertThat(second.value("SELECT 2")).isEqualTo(2);
        assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> third.info("SELECT 3"))
            .contains("max_connections");
        // A load balancer must not take the server for dead.
        ManagedChannel fourth = channel(server);
        assertThat(
                HealthGrpc.newBlockingStub(fourth)
                    .check(HealthCheckRequest.getDefaultInstance())
                    .getStatus())
            .isEqualTo(ServingStatus.SERVING);
        fourth.shutdownNow();
        assertThat(first.value("SELECT 1")).isEqualTo(1);
      }
      await().until(() -> third.value("SELECT 3").equals(3));
    }
  }

  @Test
  void oneUserLeavesAQuarter() throws Exception {
    String user = "{\"name\": \"%s\", \"password_hash\": \"" + HASH + "\", \"role\": \"admin\"}";
    String users = "[" + user.formatted("ana") + ", " + user.formatted("bo") + "]";
    try (var server =
            TestingLakeServer.start(Map.of("max_connections", "4", "flight_users", users));
        TestingClient one = server.connect();
        TestingClient two = server.connect();
        TestingClient three = server.connect();
        TestingClient four = server.connect()) {
      for (TestingClient client : new TestingClient[] {one, two, three}) {
        var _ = client.flight().authenticateBasicToken("ana", "password").orElseThrow();
      }
      assertFails(
              Status.Code.RESOURCE_EXHAUSTED,
              () -> four.flight().authenticateBasicToken("ana", "password"))
          .contains("max_connections", "three quarters");
      // Who does not know the password learns nothing of it.
      assertFails(
          Status.Code.UNAUTHENTICATED, () -> four.flight().authenticateBasicToken("ana", "guess"));
      CredentialCallOption bo =
          four.flight().authenticateBasicToken("bo", "password").orElseThrow();
      assertThat(four.info("SELECT 1", bo).getEndpoints()).hasSize(1);
    }
  }

  @Test
  void moreCallsWaitForOthersOfTheirConnection() throws Exception {
    try (var server = TestingLakeServer.start()) {
      ManagedChannel channel = channel(server);
      var answered = new AtomicInteger();
      for (int i = 0; i < FlightEndpoint.MAX_CALLS_PER_CONNECTION + 20; i++) {
        HealthGrpc.newStub(channel)
            .watch(
                HealthCheckRequest.getDefaultInstance(),
                new StreamObserver<HealthCheckResponse>() {
                  @Override
                  public void onNext(HealthCheckResponse value) {
                    answered.incrementAndGet();
                  }

                  @Override
                  public void onError(Throwable thrown) {}

                  @Override
                  public void onCompleted() {}
                });
      }
      await().until(() -> answered.get() == FlightEndpoint.MAX_CALLS_PER_CONNECTION);
      await()
          .during(java.time.Duration.ofMillis(300))
          .until(() -> answered.get() == FlightEndpoint.MAX_CALLS_PER_CONNECTION);
      try (TestingClient other = server.connect()) {
        assertThat(other.value("SELECT 1")).isEqualTo(1);
      }
      channel.shutdownNow();
    }
  }

  @Test
  void largeHeadersAreRefused() throws Exception {
    try (var server = TestingLakeServer.start();
        TestingClient client = server.connect()) {
      var headers = new Metadata();
      headers.put(
          Metadata.Key.of("x-large", Metadata.ASCII_STRING_MARSHALLER),
          "x".repeat(FlightEndpoint.MAX_HEADER_BYTES));
      FlightServiceGrpc.FlightServiceBlockingStub stub =
          client.raw().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
      assertFails(
          Status.Code.INTERNAL,
          () -> stub.listActions(Flight.Empty.getDefaultInstance()).hasNext());
      assertThat(client.value("SELECT 1")).isEqualTo(1);
    }
  }

  @Test
  void aMessageOfAnUploadThatIsTooLargeIsRefused() throws Exception {
    try (var server = TestingLakeServer.start();
        TestingClient client = server.connect()) {
      Channel channel = client.raw().getChannel();
      MethodDescriptor<Integer, Flight.PutResult> put =
          FlightServiceGrpc.getDoPutMethod().toBuilder(
                  new Zeros(), FlightServiceGrpc.getDoPutMethod().getResponseMarshaller())
              .build();
      var ended = new CompletableFuture<Status>();
      ClientCall<Integer, Flight.PutResult> call = channel.newCall(put, CallOptions.DEFAULT);
      call.start(
          new ClientCall.Listener<>() {
            @Override
            public void onClose(Status status, Metadata trailers) {
              ended.complete(status);
            }
          },
          new Metadata());
      call.request(1);
      call.sendMessage(FlightEndpoint.MAX_INBOUND_BYTES + 1);
      // What the client has yet to send can end the call, or close the connection, before it has
      // read the answer.
      assertThat(ended.get().getCode())
          .isIn(Status.Code.RESOURCE_EXHAUSTED, Status.Code.UNAVAILABLE, Status.Code.CANCELLED);
      try (TestingClient other = server.connect()) {
        assertThat(other.value("SELECT 1")).isEqualTo(1);
      }
    }
  }

  /** Messages of that many zeros. */
  private static final class Zeros implements MethodDescriptor.Marshaller<Integer> {
    @Override
    public InputStream stream(Integer length) {
      return new ZeroStream(length);
    }

    @Override
    public Integer parse(InputStream stream) {
      throw new UnsupportedOperationException();
    }
  }

  private static final class ZeroStream extends InputStream implements KnownLength {
    private int left;

    ZeroStream(int length) {
      left = length;
    }

    @Override
    public int available() throws IOException {
      return left;
    }

    @Override
    public int read() {
      return left-- > 0 ? 0 : -1;
    }

    @Override
    public int read(byte[] target, int from, int length) {
      if (left <= 0) {
        return -1;
      }
      int read = Math.min(left, length);
      java.util.Arrays.fill(target, from, from + read, (byte) 0);
      left -= read;
      return read;
    }
  }
}
