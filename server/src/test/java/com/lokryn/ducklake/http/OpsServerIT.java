package com.lokryn.ducklake.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.observe.EngineErrors;
import com.lokryn.ducklake.observe.Metrics;
import com.lokryn.ducklake.observe.Numbers;
import com.lokryn.ducklake.observe.Readiness;
import com.lokryn.ducklake.testing.NoLevels;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OpsServerIT {
  private final Readiness readiness = new Readiness();
  private final Numbers numbers = Numbers.none(new EngineErrors(List.of("io")));
  private final HttpClient http = HttpClient.newHttpClient();
  private OpsServer server;

  @BeforeEach
  void start() throws IOException {
    server =
        new OpsServer(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            readiness,
            new Metrics(readiness, numbers, new NoLevels()));
  }

  @AfterEach
  void stop() {
    server.close();
    http.close();
  }

  private HttpResponse<String> send(String method, String path) throws Exception {
    return http.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
            .method(method, HttpRequest.BodyPublishers.noBody())
            .timeout(Duration.ofSeconds(10))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void livesWhetherOrNotItIsReady() throws Exception {
    assertThat(send("GET", "/livez").statusCode()).isEqualTo(200);
    assertThat(send("GET", "/readyz").statusCode()).isEqualTo(503);
  }

  @Test
  void saysWhatKeepsItFromBeingReady() throws Exception {
    readiness.ok(CheckId.ENGINE);
    readiness.notOk(CheckId.CATALOG, "objects cannot be \"read\"");
    HttpResponse<String> answer = send("GET", "/readyz?of=anyone");
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/json");
    assertThat(answer.body())
        .isEqualTo(
            """
            {"ready":false,"checks":[{"id":"engine","ok":true,"blocks":true,"detail":"ok"},\
            {"id":"catalog","ok":false,"blocks":true,"detail":"objects cannot be \\"read\\""}]}
            """);
    readiness.ok(CheckId.CATALOG);
    answer = send("GET", "/readyz");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).startsWith("{\"ready\":true,");
  }

  @Test
  void hasMetricsWithTheSameIds() throws Exception {
    readiness.ok(CheckId.ENGINE);
    readiness.warn(CheckId.METERING_USAGE, "AWS Marketplace does not take the usage");
    numbers.usage().worked(1_500_000_000);
    numbers.usage().sent(2_048);
    HttpResponse<String> answer = send("GET", "/metrics");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("Content-Type")).get().asString().startsWith("text/pl");
    assertThat(answer.body().lines())
        .contains(
            "ducklake_flight_ready 1.0",
            "ducklake_flight_check_ok{check=\"engine\"} 1.0",
            "ducklake_flight_check_ok{check=\"metering.usage\"} 0.0",
            "ducklake_flight_query_seconds_total 1.5",
            "ducklake_flight_sent_bytes_total 2048.0");
    readiness.notOk(CheckId.ENGINE, "gone");
    assertThat(send("GET", "/metrics").body().lines())
        .contains("ducklake_flight_ready 0.0", "ducklake_flight_check_ok{check=\"engine\"} 0.0");
  }

  @Test
  void hasNothingElse() throws Exception {
    for (String path : new String[] {"/", "/livez/", "/readyz/x", "/Livez", "/%00"}) {
      assertThat(send("GET", path).statusCode()).describedAs(path).isEqualTo(404);
    }
    for (String method : new String[] {"POST", "HEAD", "PUT", "DELETE", "OPTIONS"}) {
      HttpResponse<String> answer = send(method, "/readyz");
      assertThat(answer.statusCode()).describedAs(method).isEqualTo(405);
      assertThat(answer.headers().firstValue("Allow")).contains("GET");
    }
  }

  @Test
  void slowClientsDoNotHoldOthersUp() throws Exception {
    var slow = new ArrayList<Socket>();
    try {
      for (int i = 0; i < 100; i++) {
        var socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        slow.add(socket);
        socket.getOutputStream().write("GET /rea".getBytes(StandardCharsets.US_ASCII));
      }
      for (int i = 0; i < 20; i++) {
        assertThat(send("GET", "/livez").statusCode()).isEqualTo(200);
      }
      // They are ended before long.
      for (Socket socket : slow) {
        socket.setSoTimeout(20_000);
        assertThat(ends(socket)).isTrue();
      }
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
  }

  private static boolean ends(Socket socket) {
    try {
      return socket.getInputStream().read() < 0;
    } catch (java.net.SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      // A reset.
      return true;
    }
  }

  @Test
  void saysWhenThePortIsTaken() {
    assertThatThrownBy(
            () ->
                new OpsServer(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()),
                    readiness,
                    new Metrics(readiness, numbers, new NoLevels())))
        .isInstanceOf(IOException.class);
  }
}
