package com.lokryn.ducklake.production;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.Scrape;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingPostgres;
import com.lokryn.ducklake.testing.TestingProcess;
import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingProxy;
import com.lokryn.ducklake.testing.TestingProxy.Mode;
import com.lokryn.ducklake.testing.TestingReadiness;
import com.sun.net.httpserver.HttpServer;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.apache.arrow.flight.FlightStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code /readyz} and the health service while what the server needs goes away and comes back. */
class ReadinessIT {
  /** In which both must turn. */
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private static TestingProduction production;
  private static TestingProxy s3;
  private static TestingProxy postgres;
  private static TestingProcess server;
  private static TestingReadiness readiness;
  private static int metricsPort;

  @BeforeAll
  static void start() {
    production = new TestingProduction();
    s3 = TestingProxy.to(production.aws().endpoint().getPort());
    postgres = TestingProxy.to(production.postgres().port());
    Map<String, String> environment = production.environment(production.newLake());
    environment.put("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:" + s3.port());
    environment.put("POSTGRES_PORT", Integer.toString(postgres.port()));
    metricsPort = TestingReadiness.freePort();
    server = serve(environment, metricsPort).listening();
    readiness = new TestingReadiness(metricsPort, server.port());
  }

  @AfterAll
  static void stop() {
    readiness.close();
    server.close();
    postgres.close();
    s3.close();
    production.close();
  }

  @ParameterizedTest
  @EnumSource(
      value = Mode.class,
      names = {"REFUSE", "CUT", "HANG"})
  void s3GoesAndComesBack(Mode mode) throws Exception {
    outage("s3.", hold(mode), () -> s3.set(mode), () -> s3.set(Mode.PASS));
  }

  @ParameterizedTest
  @EnumSource(
      value = Mode.class,
      names = {"REFUSE", "CUT", "HANG"})
  void postgresGoesAndComesBack(Mode mode) throws Exception {
    outage("catalog", hold(mode), () -> postgres.set(mode), () -> postgres.set(Mode.PASS));
  }

  @Test
  void postgresStandsStill() throws Exception {
    outage("catalog", hold(Mode.HANG), production.postgres()::freeze, production.postgres()::thaw);
  }

  /** Longer than a request may take, where one hangs. */
  private static Duration hold(Mode mode) {
    return mode == Mode.HANG ? Duration.ofSeconds(12) : Duration.ofSeconds(2);
  }

  /** One check, or all of a group where it hangs and cannot say which. */
  private static boolean onlyMisses(String check) {
    List<String> missing = readiness.missing();
    return !missing.isEmpty() && missing.stream().allMatch(id -> id.startsWith(check));
  }

  private static void outage(String check, Duration hold, Runnable begin, Runnable end)
      throws Exception {
    await().atMost(LIMIT).until(() -> readiness.missing().isEmpty());
    begin.run();
    try {
      await().atMost(LIMIT).until(() -> onlyMisses(check));
      assertThat(readiness.health()).isEqualTo(ServingStatus.NOT_SERVING);
      assertThat(readiness.get("/livez").statusCode()).isEqualTo(200);
      assertThat(readiness.get("/metrics").statusCode()).isEqualTo(200);
      assertThat(readiness.get("/readyz").body())
          .doesNotContain("127.0.0.1", "s3://", TestingPostgres.USER);
      await().during(hold).atMost(Duration.ofSeconds(30)).until(() -> onlyMisses(check));
    } finally {
      end.run();
    }
    await().atMost(LIMIT).until(() -> readiness.missing().isEmpty());
    assertThat(readiness.health()).isEqualTo(ServingStatus.SERVING);
    // Those that were lost have ended, and those that hung are not many.
    assertThat(
            Integer.parseInt(
                production
                    .postgres()
                    .value(
                        "SELECT count(*) FROM pg_stat_activity"
                            + " WHERE application_name = 'ducklake-flight'")))
        .isLessThan(8);
    assertThat(String.join("\n", server.errors()))
        .doesNotContain(TestingPostgres.PASSWORD, "\tat ", "it cannot be tried");
    try (var client = new TestingClient(server.port())) {
      client.update("CREATE OR REPLACE TABLE t AS SELECT i FROM range(1000) r(i)");
      assertThat(client.value("SELECT sum(i) FROM t")).isEqualTo(BigDecimal.valueOf(499_500));
    }
  }

  @Test
  void metricsTellHowCatalogAndS3Answer() {
    await().atMost(LIMIT).until(() -> readiness.missing().isEmpty());
    Scrape before = Scrape.of(metricsPort);
    for (String check : List.of("catalog", "s3.get", "s3.put")) {
      assertThat(before.of("dependency_seconds_count{check=\"%s\"}".formatted(check)))
          .as(check)
          .isPositive();
      assertThat(before.of("check_ok{check=\"%s\"}".formatted(check))).as(check).isEqualTo(1);
    }
    assertThat(before.of("credentials_age_seconds")).isPositive();
    double errors = before.of("dependency_errors_total{check=\"s3.get\"}");
    double ofCatalog = before.of("dependency_errors_total{check=\"catalog\"}");
    s3.set(Mode.CUT);
    try {
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () -> {
                Scrape now = Scrape.of(metricsPort);
                assertThat(now.of("dependency_errors_total{check=\"s3.get\"}"))
                    .isGreaterThan(errors);
                // After the first read that fails it is tried to write as well.
                assertThat(
                        now.of("check_ok{check=\"s3.get\"}") + now.of("check_ok{check=\"s3.put\"}"))
                    .isLessThan(2);
                assertThat(now.of("ready")).isZero();
              });
    } finally {
      s3.set(Mode.PASS);
    }
    Scrape after = Scrape.of(metricsPort);
    assertThat(after.of("dependency_errors_total{check=\"catalog\"}")).isEqualTo(ofCatalog);
    assertThat(after.of("dependency_seconds_count{check=\"catalog\"}"))
        .isGreaterThan(before.of("dependency_seconds_count{check=\"catalog\"}"));
  }

  /** The rows of small inserts are in the catalog: such a server asks S3 for nothing of its own. */
  @Test
  void aBucketThatRefusesIsNoticedByAServerWithoutObjects() throws Exception {
    String lake = production.newLake();
    int httpPort = TestingReadiness.freePort();
    try (var other = serve(production.environment(lake), httpPort).listening();
        var seen = new TestingReadiness(httpPort, other.port());
        var client = new TestingClient(other.port())) {
      client.update("CREATE TABLE small AS SELECT 1 AS i");
      assertThat(seen.missing()).isEmpty();
      List<String> objects = objects(lake);
      assertThat(objects).singleElement().asString().startsWith("data/.probe-");

      for (String object : objects) {
        s3Request("DELETE", lake + "/" + object);
      }
      s3Request("DELETE", lake);

      await().atMost(LIMIT).until(() -> seen.missing().equals(List.of("s3.put")));
      await().atMost(LIMIT).until(() -> seen.get("/readyz").body().contains("NoSuchBucket"));
      assertThat(client.value("SELECT i FROM small")).isEqualTo(1);

      s3Request("PUT", lake);
      await().atMost(LIMIT).until(() -> seen.missing().isEmpty());

      assertThat(other.terminate()).isZero();
      assertThat(objects(lake)).isEmpty();
    }
  }

  @Test
  void aProbeObjectThatSomeoneDeletesIsWrittenAgain() throws Exception {
    String lake = production.newLake();
    int httpPort = TestingReadiness.freePort();
    try (var other = serve(production.environment(lake), httpPort).listening();
        var seen = new TestingReadiness(httpPort, other.port())) {
      List<String> objects = objects(lake);
      s3Request("DELETE", lake + "/" + objects.getFirst());
      assertThat(objects(lake)).isEmpty();
      await()
          .atMost(LIMIT)
          .until(
              () -> {
                assertThat(seen.missing()).isEmpty();
                return objects(lake).equals(objects);
              });
    }
  }

  @Test
  void credentialsThatCannotBeRenewed() throws Exception {
    var broken = new AtomicBoolean();
    HttpServer role =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    role.createContext(
        "/",
        exchange -> {
          byte[] answer =
              """
              {"AccessKeyId":"testing","SecretAccessKey":"testing","Token":"t","Expiration":"%s"}
              """
                  .formatted(Instant.now().plusSeconds(4).truncatedTo(ChronoUnit.SECONDS))
                  .getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(broken.get() ? 500 : 200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    role.start();
    Map<String, String> environment = production.environment(production.newLake());
    environment.remove("AWS_ACCESS_KEY_ID");
    environment.remove("AWS_SECRET_ACCESS_KEY");
    environment.put(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "http://127.0.0.1:%d/role".formatted(role.getAddress().getPort()));
    int httpPort = TestingReadiness.freePort();
    try (var other = serve(environment, httpPort).listening();
        var seen = new TestingReadiness(httpPort, other.port())) {
      assertThat(seen.missing()).isEmpty();
      broken.set(true);
      await().atMost(LIMIT.plusSeconds(4)).until(() -> seen.missing().contains("credentials"));
      broken.set(false);
      await().atMost(LIMIT).until(() -> seen.missing().isEmpty());
    } finally {
      role.stop(0);
    }
  }

  @Test
  void aServerThatIsToldToStopIsNotReadyWhileStatementsEnd() throws Exception {
    Map<String, String> environment = production.environment(production.newLake());
    environment.put("DRAIN_TIMEOUT", "5s");
    int httpPort = TestingReadiness.freePort();
    try (var other = serve(environment, httpPort).listening();
        var seen = new TestingReadiness(httpPort, other.port());
        var client = new TestingClient(other.port());
        FlightStream stream = client.open("SELECT i FROM range(1000000000000) t(i)")) {
      assertThat(stream.next()).isTrue();
      CompletableFuture<Integer> end = CompletableFuture.supplyAsync(other::terminate);
      await().atMost(Duration.ofSeconds(3)).until(() -> seen.missing().equals(List.of("drain")));
      assertThat(seen.get("/livez").statusCode()).isEqualTo(200);
      assertThat(end.get()).isZero();
    }
  }

  @Test
  void stopsWhileNothingAnswers() throws Exception {
    Map<String, String> environment = production.environment(production.newLake());
    try (var proxy = TestingProxy.to(production.postgres().port());
        var store = TestingProxy.to(production.aws().endpoint().getPort())) {
      environment.put("POSTGRES_PORT", Integer.toString(proxy.port()));
      environment.put("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:" + store.port());
      int httpPort = TestingReadiness.freePort();
      try (var other = serve(environment, httpPort).listening();
          var seen = new TestingReadiness(httpPort, other.port())) {
        proxy.set(Mode.HANG);
        store.set(Mode.HANG);
        await()
            .atMost(LIMIT)
            .until(() -> seen.missing().containsAll(List.of("s3.put", "s3.get", "catalog")));
        Instant told = Instant.now();
        assertThat(other.terminate()).isZero();
        assertThat(Duration.between(told, Instant.now())).isLessThan(LIMIT);
      }
    }
  }

  @Test
  void aPortThatIsTakenIsSaid() {
    Map<String, String> environment = production.environment(production.newLake());
    environment.put("HTTP_PORT", Integer.toString(s3.port()));
    try (var other =
        TestingProcess.start(environment, "serve", "--host", "127.0.0.1", "--port", "0")) {
      assertThat(other.exitCode()).isEqualTo(69);
      assertThat(other.errors().getLast())
          .startsWith("✗ cannot listen on 127.0.0.1:" + s3.port())
          .contains("http_port");
    }
  }

  @Test
  void aStartDuringAnOutageOfS3SaysSo() {
    Map<String, String> environment = production.environment(production.newLake());
    try (var proxy = TestingProxy.to(production.aws().endpoint().getPort())) {
      proxy.set(Mode.CUT);
      environment.put("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:" + proxy.port());
      try (var other = serve(environment, 0)) {
        assertThat(other.exitCode()).isEqualTo(69);
        assertThat(other.errors().getLast()).startsWith("✗ S3 write test failed");
      }
    }
  }

  private static TestingProcess serve(Map<String, String> environment, int httpPort) {
    environment.put("HTTP_PORT", Integer.toString(httpPort));
    return TestingProcess.start(environment, "serve", "--host", "127.0.0.1", "--port", "0");
  }

  private static List<String> objects(String bucket) throws Exception {
    return Pattern.compile("<Key>([^<]+)</Key>")
        .matcher(s3Request("GET", bucket + "?list-type=2"))
        .results()
        .map(result -> result.group(1))
        .toList();
  }

  private static String s3Request(String method, String path) throws Exception {
    try (var http = HttpClient.newHttpClient()) {
      URI uri = production.aws().endpoint().resolve("/" + path);
      return http.send(
              HttpRequest.newBuilder(uri)
                  // The stand-in lets anyone who signs do everything, and looks at no signature.
                  .header(
                      "Authorization",
                      "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request,"
                          + " SignedHeaders=host, Signature=0")
                  .method(method, HttpRequest.BodyPublishers.noBody())
                  .build(),
              HttpResponse.BodyHandlers.ofString())
          .body();
    }
  }
}
