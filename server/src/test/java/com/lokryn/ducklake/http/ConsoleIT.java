package com.lokryn.ducklake.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.lokryn.ducklake.auth.SessionTokens;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingUsers;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the console shows to whom, and what it refuses. */
@Timeout(90)
class ConsoleIT {
  private static final String HOSTILE = "SELECT '<img src=x onerror=alert(1)></script>' AS hostile";
  private static final String SECRET = "0123456789abcdef0123456789abcdef";

  /** Of tables alone: a scan of range() has no progress, and takes it from all of its query. */
  private static final String BLOCKING =
      "SELECT count(*) FROM t a, t b, t c WHERE a.i * b.i * c.i = 7";

  private static TestingLakeServer server;
  private static int port;
  private final ObjectMapper json = new ObjectMapper();

  @BeforeAll
  static void start() throws Exception {
    String users = TestingUsers.each();
    server =
        TestingLakeServer.start(
            Map.of(
                "flight_token_secret",
                SECRET,
                "flight_users",
                users.substring(0, users.length() - 1)
                    + ", "
                    + TestingUsers.user("nora", "reader", "{\"main.t\": \"select\"}")
                    + ", "
                    + TestingUsers.user("gus", "reader")
                    + "]"));
    port = server.server().listenHttp(0);
    try (TestingClient root = server.connect("root")) {
      root.update("CREATE TABLE t AS SELECT i FROM range(100000) r(i)");
      root.update("DELETE FROM t WHERE i < 1000");
    }
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  /** An answer, with its headers in lower case. */
  private record Reply(int status, Map<String, String> headers, String body) {}

  /** A request, byte for byte: the JDK's client does not let all headers be set. */
  private static Reply send(String method, String path, String... headers) throws IOException {
    return sendTo(port, method, path, headers);
  }

  private static Reply sendTo(int port, String method, String path, String... headers)
      throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(20_000);
      var request = new StringBuilder(method + " " + path + " HTTP/1.1\r\n");
      if (List.of(headers).stream().noneMatch(header -> header.startsWith("Host:"))) {
        request.append("Host: 127.0.0.1:").append(port).append("\r\n");
      }
      for (String header : headers) {
        request.append(header).append("\r\n");
      }
      request.append("Content-Length: 0\r\nConnection: close\r\n\r\n");
      socket.getOutputStream().write(request.toString().getBytes(StandardCharsets.UTF_8));
      String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int end = all.indexOf("\r\n\r\n");
      var found = new java.util.HashMap<String, String>();
      all.substring(0, end)
          .lines()
          .skip(1)
          .forEach(
              line -> {
                int colon = line.indexOf(':');
                found.put(
                    line.substring(0, colon).toLowerCase(java.util.Locale.ROOT),
                    line.substring(colon + 1).strip());
              });
      return new Reply(
          Integer.parseInt(all.substring(9, 12)), Map.copyOf(found), all.substring(end + 4));
    }
  }

  private static String as(String user) {
    return as(user, TestingUsers.PASSWORD);
  }

  private static String as(String user, String password) {
    return "Authorization: Basic "
        + Base64.getEncoder()
            .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
  }

  /** The data of the first event of that name. */
  private JsonNode event(String name, String user) throws Exception {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(20_000);
      socket
          .getOutputStream()
          .write(
              ("GET /console/events HTTP/1.0\r\nHost: localhost\r\n" + as(user) + "\r\n\r\n")
                  .getBytes(StandardCharsets.UTF_8));
      var lines =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
      String line;
      while ((line = lines.readLine()) != null) {
        if (line.equals("event: " + name)) {
          return json.readTree(lines.readLine().substring("data: ".length()));
        }
      }
    }
    throw new AssertionError("the stream ended without " + name);
  }

  @Test
  void nobodyIsShownAnythingWithoutALogin() throws Exception {
    for (String path :
        List.of("/console", "/console/", "/console/console.js", "/console/events", "/console/x")) {
      Reply reply = send("GET", path);
      assertThat(reply.status()).describedAs(path).isEqualTo(401);
      assertThat(reply.headers().get("www-authenticate")).startsWith("Basic realm=");
      assertThat(send("GET", path, as("root", "wrong")).status()).isEqualTo(401);
      assertThat(send("GET", path, as("nobody")).status()).isEqualTo(401);
      assertThat(send("GET", path, "Authorization: Bearer x.y.z").status()).isEqualTo(401);
    }
    assertThat(send("POST", "/console/kill/queries/x", "X-Console: 1").status()).isEqualTo(401);
    assertThat(send("GET", "/console/", as("ria")).status()).isEqualTo(200);
  }

  @Test
  void guessesHaveToWait() throws Exception {
    for (int i = 0; i < 10; i++) {
      assertThat(send("GET", "/console/", as("gus", "guess" + i)).status()).isEqualTo(401);
    }
    Reply reply = send("GET", "/console/", as("gus", "guess"));
    assertThat(reply.status()).isEqualTo(429);
    assertThat(reply.body()).contains("too many failed logins");
  }

  @Test
  void aTokenOfALoginIsTakenToo() throws Exception {
    // One of the same secret, as of a login.
    var tokens =
        new SessionTokens(
            Optional.of(SECRET.getBytes(StandardCharsets.UTF_8)),
            Duration.ofMinutes(1),
            InstantSource.system());
    String good = "Authorization: Bearer " + tokens.issue("ria", "a session");
    assertThat(send("GET", "/console/", good).status()).isEqualTo(200);
    assertThat(send("GET", "/console/", good + "x").status()).isEqualTo(401);
  }

  @Test
  void nothingButItsOwnFilesRunsInThePage() throws Exception {
    for (String path : List.of("/console/", "/console/console.js", "/console/x")) {
      Map<String, String> headers = send("GET", path, as("ria")).headers();
      assertThat(headers.get("content-security-policy"))
          .contains("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'")
          .doesNotContain("unsafe", "http", "*");
      assertThat(headers)
          .containsEntry("x-frame-options", "DENY")
          .containsEntry("x-content-type-options", "nosniff")
          .containsEntry("cache-control", "no-store");
    }
    String page = send("GET", "/console/", as("ria")).body();
    assertThat(page).doesNotContain("http://", "https://", "style=", "onclick").contains("<main");
    assertThat(page.split("<script", -1)).hasSize(2);
    assertThat(send("GET", "/console", as("ria")).headers()).containsEntry("location", "console/");
  }

  @Test
  void otherMethodsAndPathsAreRefused() throws Exception {
    for (String method : List.of("POST", "HEAD", "PUT", "DELETE", "OPTIONS")) {
      Reply reply = send(method, "/console/", as("root"));
      assertThat(reply.status()).describedAs(method).isEqualTo(405);
      assertThat(reply.headers()).containsEntry("allow", "GET");
    }
    for (String path :
        List.of("/console/../secret", "/console/%2e%2e/x", "/console/statements/x", "/consolex")) {
      assertThat(send("GET", path, as("root")).status()).describedAs(path).isEqualTo(404);
    }
  }

  @Test
  void onlyItsOwnMachineIsAnsweredAndByAnyOfItsNames() throws Exception {
    assertThat(send("GET", "/console/", as("root"), "Host: localhost:1").status()).isEqualTo(200);
    assertThat(send("GET", "/console/", as("root"), "Host: [::1]:1").status()).isEqualTo(200);
    for (String host : List.of("evil.example", "127.0.0.1.evil.example", "10.0.0.1", "")) {
      assertThat(send("GET", "/console/", as("root"), "Host: " + host).status())
          .describedAs(host)
          .isEqualTo(403);
    }
    Reply forwarded = send("GET", "/console/", as("root"), "X-Forwarded-For: 203.0.113.9");
    assertThat(forwarded.status()).isEqualTo(403);
    assertThat(forwarded.body()).contains("http_console");
  }

  @Test
  void whoeverReachesItWhereNobodyIsAskedHasToNameNoHost() throws Exception {
    try (var open = TestingLakeServer.start(Map.of("http_console", "any"))) {
      int other = open.server().listenHttp(0);
      assertThat(sendTo(other, "GET", "/console/").status()).isEqualTo(200);
      assertThat(sendTo(other, "GET", "/console/", "Host: 10.0.0.1").status()).isEqualTo(200);
      assertThat(sendTo(other, "GET", "/console/", "Host: evil.example").status()).isEqualTo(403);
    }
    try (var closed = TestingLakeServer.start(Map.of("http_console", "off"))) {
      assertThat(sendTo(closed.server().listenHttp(0), "GET", "/console/").status()).isEqualTo(404);
    }
  }

  @Test
  void hostileTextIsInertAndOfItsOwnerOnly() throws Exception {
    try (TestingClient wanda = server.connect("wanda")) {
      wanda.rows(HOSTILE);
      await().until(() -> sqlOf("recent", "wanda").contains(HOSTILE));
    }
    assertThat(sqlOf("recent", "root")).contains(HOSTILE);
    assertThat(sqlOf("recent", "ria")).doesNotContain(HOSTILE);
    JsonNode sessions = event("now", "ria").get("sessions");
    sessions.forEach(session -> assertThat(session.get("user").asText()).isEqualTo("ria"));
    String id = idOf("recent", HOSTILE, "root");
    assertThat(send("GET", "/console/statements/" + id, as("ria")).status()).isEqualTo(404);
    Reply reply = send("GET", "/console/statements/" + id, as("wanda"));
    assertThat(reply.headers()).containsEntry("content-type", "application/json");
    assertThat(json.readTree(reply.body()).get("sql").asText()).isEqualTo(HOSTILE);
  }

  private List<String> sqlOf(String table, String user) throws Exception {
    var found = new ArrayList<String>();
    event("now", user).get(table).forEach(row -> found.add(row.get("sql").asText()));
    return found;
  }

  private String idOf(String table, String sql, String user) throws Exception {
    for (JsonNode row : event("now", user).get(table)) {
      if (row.get("sql").asText().equals(sql)) {
        return row.get("query_id").asText();
      }
    }
    throw new AssertionError("not there: " + sql);
  }

  @Test
  void aPlanIsShownAndNothingOfItIsRun() throws Exception {
    try (TestingClient wanda = server.connect("wanda");
        TestingClient root = server.connect("root")) {
      root.update("CREATE TABLE precious AS SELECT 1 AS i");
      String query = "SELECT i, count(*) FROM t WHERE i > 99 GROUP BY ALL LIMIT 3";
      wanda.rows(query);
      String trap = "ANALYZE DELETE FROM precious";
      try {
        wanda.update(trap);
      } catch (Exception e) {
        // Refused, and so in the list of what is over.
      }
      await().until(() -> sqlOf("recent", "root").containsAll(List.of(query, trap)));
      String path = "/console/statements/" + idOf("recent", query, "root");
      assertThat(json.readTree(send("GET", path, as("root")).body()).get("plan").asText())
          .contains("SCAN");
      path = "/console/statements/" + idOf("recent", trap, "root");
      JsonNode refused = json.readTree(send("GET", path, as("root")).body());
      assertThat(refused.has("plan")).isFalse();
      assertThat(refused.get("no_plan").asText()).contains("queries only");
      assertThat(root.value("SELECT count(*) FROM precious")).isEqualTo(1L);
    }
  }

  @Test
  void killsByItsOwnRequestsOnlyAndAsFarAsOneMay() throws Exception {
    try (TestingClient wanda = server.connect("wanda")) {
      // From here on statements are watched.
      event("now", "root");
      var blocked =
          CompletableFuture.runAsync(() -> wanda.info(BLOCKING), Thread::startVirtualThread);
      await().until(() -> sqlOf("queries", "root").contains(BLOCKING));
      await()
          .atMost(Duration.ofSeconds(40))
          .untilAsserted(
              () -> {
                JsonNode queries = event("now", "root").get("queries");
                // Results that other tests have left may be older than this query.
                assertThat(queries)
                    .as("%s", queries)
                    .anyMatch(
                        row ->
                            row.get("sql").asText().equals(BLOCKING)
                                && row.get("progress").isNumber());
              });
      String path = "/console/kill/queries/" + idOf("queries", BLOCKING, "root");
      String own = "X-Console: 1";
      assertThat(send("GET", path, as("root"), own).status()).isEqualTo(405);
      assertThat(send("POST", path, as("root")).status()).isEqualTo(403);
      assertThat(send("POST", path, as("root"), own, "Origin: http://evil.example").status())
          .isEqualTo(403);
      assertThat(send("POST", path, as("root"), own, "Sec-Fetch-Site: cross-site").status())
          .isEqualTo(403);
      assertThat(send("POST", path, as("ria"), own).status()).isEqualTo(404);
      assertThat(blocked).isNotDone();
      assertThat(send("POST", path, as("root"), own, "Origin: http://127.0.0.1:" + port).status())
          .isEqualTo(200);
      await().until(blocked::isCompletedExceptionally);
    }
  }

  @Test
  void endsASession() throws Exception {
    try (TestingClient wanda = server.connect("wanda")) {
      wanda.update("CREATE TEMPORARY TABLE held AS SELECT 1 AS i");
      String id = "";
      for (JsonNode session : event("now", "wanda").get("sessions")) {
        id = session.get("has_state").asBoolean() ? session.get("session_id").asText() : id;
      }
      String path = "/console/kill/sessions/" + id;
      assertThat(send("POST", path, as("ria"), "X-Console: 1").status()).isEqualTo(404);
      assertThat(send("POST", path, as("wanda"), "X-Console: 1").status()).isEqualTo(200);
      assertThat(send("POST", path, as("wanda"), "X-Console: 1").status()).isEqualTo(404);
    }
  }

  @Test
  void theLakeIsShownToThoseWhoMaySeeAllOfIt() throws Exception {
    JsonNode[] found = new JsonNode[1];
    await()
        .atMost(Duration.ofSeconds(40))
        .until(
            () -> {
              JsonNode lake = event("lake", "ria");
              for (JsonNode table : lake.path("tables")) {
                found[0] = table.get("name").asText().equals("t") ? table : found[0];
              }
              return found[0] != null;
            });
    assertThat(found[0].get("rows").asLong()).isEqualTo(99_000);
    assertThat(found[0].get("files").asLong()).isEqualTo(1);
    assertThat(found[0].get("bytes").asLong()).isPositive();
    JsonNode lake = event("lake", "ria");
    assertThat(lake.get("ok").asBoolean()).isTrue();
    assertThat(lake.get("snapshots").size()).isGreaterThan(2);
    assertThat(lake.at("/total/bytes").asLong()).isPositive();
    assertThat(event("lake", "nora")).isEqualTo(json.readTree("{\"narrowed\":true}"));
  }

  @Test
  void streamsEndByThemselvesAndAreFew() throws Exception {
    long began = System.nanoTime();
    Reply one = send("GET", "/console/events", as("ria"));
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
    assertThat(one.headers()).containsEntry("content-type", "text/event-stream");
    assertThat(one.body()).contains("retry: ").contains("event: now");
    var open = new ArrayList<CompletableFuture<Integer>>();
    for (int i = 0; i < EventStreams.MOST + 8; i++) {
      open.add(
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return send("GET", "/console/events", as("ria")).status();
                } catch (IOException e) {
                  return 0;
                }
              },
              task -> Thread.ofVirtual().start(task)));
    }
    List<Integer> statuses = open.stream().map(CompletableFuture::join).toList();
    assertThat(statuses).contains(200, 503).doesNotContain(0);
    assertThat(statuses.stream().filter(status -> status == 200).count())
        .isLessThanOrEqualTo(EventStreams.MOST);
  }

  @Test
  void streamsEndWhenTheServerStops() throws Exception {
    try (var stopping = TestingLakeServer.start()) {
      int other = stopping.server().listenHttp(0);
      var stream =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return sendTo(other, "GET", "/console/events").body();
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              },
              Thread::startVirtualThread);
      stopping.server().drain();
      assertThat(stream).succeedsWithin(Duration.ofSeconds(10));
      assertThat(sendTo(other, "GET", "/console/events").status()).isEqualTo(503);
    }
  }
}
