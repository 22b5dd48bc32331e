package com.lokryn.ducklake.client;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Asks a server's health service. */
public final class HealthProbe {
  private static final long DEADLINE_SECONDS = 3;

  private HealthProbe() {}

  /** Why the server does not take queries; empty while it does. */
  public static Optional<String> ask(ServerUrl url) {
    var builder = NettyChannelBuilder.forAddress(url.host(), url.port());
    ManagedChannel channel = (url.tls() ? builder : builder.usePlaintext()).build();
    try {
      ServingStatus status =
          HealthGrpc.newBlockingStub(channel)
              .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
              .check(HealthCheckRequest.getDefaultInstance())
              .getStatus();
      return status == ServingStatus.SERVING
          ? Optional.empty()
          : Optional.of("the server at %s is not serving: %s".formatted(url, status));
    } catch (StatusRuntimeException e) {
      return Optional.of(
          switch (e.getStatus().getCode()) {
            case DEADLINE_EXCEEDED ->
                "the server at %s gave no answer in %d seconds".formatted(url, DEADLINE_SECONDS);
            case UNIMPLEMENTED -> "the server at %s has no health service".formatted(url);
            default -> String.valueOf(ServerException.of(e, url).getMessage());
          });
    } finally {
      channel.shutdownNow();
    }
  }
}
