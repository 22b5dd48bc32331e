package com.lokryn.ducklake.client;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import java.util.concurrent.TimeUnit;

/** Asks a server's health service. */
public final class HealthProbe {
  private static final long DEADLINE_SECONDS = 3;

  private HealthProbe() {}

  /** The status it gives, in words; "SERVING" while it takes queries. */
  public static String ask(ServerUrl url) {
    var builder = NettyChannelBuilder.forAddress(url.host(), url.port());
    ManagedChannel channel = (url.tls() ? builder : builder.usePlaintext()).build();
    try {
      ServingStatus status =
          HealthGrpc.newBlockingStub(channel)
              .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
              .check(HealthCheckRequest.getDefaultInstance())
              .getStatus();
      return status.name();
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode().name();
    } finally {
      channel.shutdownNow();
    }
  }
}
