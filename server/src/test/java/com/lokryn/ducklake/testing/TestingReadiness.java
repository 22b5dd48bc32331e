package com.lokryn.ducklake.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;

/** What load balancers see of a server: {@code /readyz}, and gRPC's health service. */
public final class TestingReadiness implements AutoCloseable {
  private final HttpClient http = HttpClient.newHttpClient();
  private final ObjectMapper json = new ObjectMapper();
  private final int httpPort;
  private final ManagedChannel channel;

  public TestingReadiness(int httpPort, int flightPort) {
    this.httpPort = httpPort;
    this.channel = NettyChannelBuilder.forAddress("127.0.0.1", flightPort).usePlaintext().build();
  }

  /** A port that nobody has now. */
  public static int freePort() {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * The ids of the checks that keep queries away; empty exactly when the server says it is ready.
   */
  public List<String> missing() {
    HttpResponse<String> answer = get("/readyz");
    JsonNode body = body(answer);
    List<String> ids = failing(body, true);
    boolean ready = answer.statusCode() == 200;
    if (ready != ids.isEmpty() || ready != body.get("ready").booleanValue()) {
      throw new AssertionError(answer.statusCode() + " " + answer.body());
    }
    return ids;
  }

  /** The ids of the checks that are not ok, but keep nothing away. */
  public List<String> warnings() {
    return failing(body(get("/readyz")), false);
  }

  private JsonNode body(HttpResponse<String> answer) {
    try {
      return json.readTree(answer.body());
    } catch (IOException e) {
      throw new AssertionError(answer.body(), e);
    }
  }

  private static List<String> failing(JsonNode body, boolean blocking) {
    return StreamSupport.stream(body.get("checks").spliterator(), false)
        .filter(check -> !check.get("ok").booleanValue())
        .filter(check -> check.get("blocks").booleanValue() == blocking)
        .map(check -> check.get("id").textValue())
        .toList();
  }

  public HttpResponse<String> get(String path) {
    try {
      return http.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d%s".formatted(httpPort, path)))
              .timeout(Duration.ofSeconds(5))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** What gRPC's health service says of the whole server. */
  public ServingStatus health() {
    return HealthGrpc.newBlockingStub(channel)
        .withDeadlineAfter(5, TimeUnit.SECONDS)
        .check(HealthCheckRequest.getDefaultInstance())
        .getStatus();
  }

  @Override
  public void close() {
    channel.shutdownNow();
    http.close();
  }
}
