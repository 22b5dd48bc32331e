package com.lokryn.ducklake.production;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingRemoteServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the console shows of a lake whose catalog is in Postgres. */
@Timeout(120)
class ConsoleLakeIT {
  @Test
  void hasTheTablesAndTheSnapshots() throws Exception {
    try (var services = new TestingProduction();
        var server =
            TestingRemoteServer.start(
                services, services.newLake(), services.aws().endpoint(), Map.of());
        var client = server.connect();
        var http = HttpClient.newHttpClient()) {
      client.update("CREATE TABLE trips AS SELECT range AS i FROM range(1000)");
      client.update("DELETE FROM trips WHERE i < 10");
      client.update("INSERT INTO trips VALUES (7)");
      int port = server.server().listenHttp(0);
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/console/events"))
              .build();
      await()
          .atMost(Duration.ofSeconds(40))
          .untilAsserted(
              () ->
                  assertThat(http.send(request, HttpResponse.BodyHandlers.ofString()).body())
                      .contains("event: lake", "\"ok\":true", "\"name\":\"trips\"")
                      .contains("\"rows\":1001", "\"snapshots\":[{", "\"message\":\"insert\""));
    }
  }
}
