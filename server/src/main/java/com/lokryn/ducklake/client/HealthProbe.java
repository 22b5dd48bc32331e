package com.lokryn.ducklake.client;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Asks a server's health service. */
public final class HealthProbe {
  private static final long DEADLINE_SECONDS = 3;

  private HealthProbe() {}

  /** Why the server does not take queries; empty while it does. */
  public static Optional<String> ask(ServerUrl url, ClientTls tls) {
    ManagedChannel channel = Channels.open(url, tls);
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

  /** The same of a server of this machine by its HTTP port, which asks for no certificate. */
  public static Optional<String> askHttp(int port) {
    URI place = URI.create("http://127.0.0.1:%d/readyz".formatted(port));
    try (var http = HttpClient.newHttpClient()) {
      HttpResponse<String> answer =
          http.send(
              HttpRequest.newBuilder(place).timeout(Duration.ofSeconds(DEADLINE_SECONDS)).build(),
              BodyHandlers.ofString());
      return answer.statusCode() == HttpURLConnection.HTTP_OK
          ? Optional.empty()
          : Optional.of("the server is not serving: " + answer.body().strip());
    } catch (IOException e) {
      return Optional.of("no server answers at " + place);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of("interrupted");
    }
  }
}
