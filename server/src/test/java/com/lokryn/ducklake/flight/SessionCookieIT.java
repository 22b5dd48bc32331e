package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flight.CallHeaders;
import org.apache.arrow.flight.CallOption;
import org.apache.arrow.flight.CloseSessionRequest;
import org.apache.arrow.flight.FlightCallHeaders;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.HeaderCallOption;
import org.apache.arrow.flight.Location;
import org.apache.arrow.flight.client.ClientCookieMiddleware;
import org.apache.arrow.flight.grpc.CredentialCallOption;
import org.apache.arrow.flight.sql.FlightSqlClient;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.bouncycastle.crypto.generators.OpenBSDBCrypt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Sessions by cookie and by token, and how they end when nobody uses them. */
class SessionCookieIT {
  private static final String USERS = "[%s, %s]".formatted(user("ann", "one"), user("bob", "two"));

  private static String user(String name, String password) {
    byte[] salt = new byte[16];
    String hash = OpenBSDBCrypt.generate(password.toCharArray(), salt, 4);
    return "{\"name\": \"%s\", \"password_hash\": \"%s\", \"role\": \"admin\"}"
        .formatted(name, hash);
  }

  private final List<AutoCloseable> opened = new ArrayList<>();
  private TestingLakeServer server;

  @BeforeEach
  void start() throws Exception {
    server = TestingLakeServer.start();
  }

  private void start(Map<String, String> settings) throws Exception {
    server.close();
    server = TestingLakeServer.start(settings);
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable one : opened.reversed()) {
      one.close();
    }
    server.close();
  }

  /** A client of Arrow's own that keeps cookies. */
  private final class CookieClient implements AutoCloseable {
    private final BufferAllocator allocator = new RootAllocator();
    private final FlightClient flight;
    private final FlightSqlClient sql;
    private final CallOption[] options;

    CookieClient(int port, ClientCookieMiddleware.Factory jar, CallOption... options) {
      flight =
          FlightClient.builder(allocator, Location.forGrpcInsecure("127.0.0.1", port))
              .intercept(jar)
              .build();
      sql = new FlightSqlClient(flight);
      this.options = options;
      opened.add(this);
    }

    private boolean closed;

    Object value(String query) throws Exception {
      var ticket = sql.execute(query, options).getEndpoints().getFirst().getTicket();
      try (var stream = sql.getStream(ticket, options)) {
        return TestingClient.rows(stream).getFirst().getFirst();
      }
    }

    void update(String statement) {
      var _ = sql.executeUpdate(statement, options);
    }

    @Override
    public void close() throws Exception {
      if (!closed) {
        closed = true;
        sql.close();
        allocator.close();
      }
    }
  }

  private CookieClient cookies(ClientCookieMiddleware.Factory jar, CallOption... options) {
    return new CookieClient(server.port(), jar, options);
  }

  private static CallOption password(String user, String password) {
    CallHeaders headers = new FlightCallHeaders();
    headers.insert(
        "authorization",
        "Basic "
            + Base64.getEncoder()
                .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8)));
    return new HeaderCallOption(headers);
  }

  @Test
  void aCookieFindsItsSessionFromAnotherConnection() throws Exception {
    var jar = new ClientCookieMiddleware.Factory();
    CookieClient first = cookies(jar);
    first.update("CREATE SCHEMA s");
    first.update("USE lake.s");
    first.update("CREATE TEMP TABLE mine AS SELECT 7 AS i");
    assertThat(cookies(jar).value("SELECT current_schema() || i FROM temp.main.mine"))
        .isEqualTo("s7");
    first.close();
    assertThat(cookies(jar).value("SELECT i FROM temp.main.mine")).isEqualTo(7);
    CookieClient stranger = cookies(new ClientCookieMiddleware.Factory());
    assertFails(Status.Code.NOT_FOUND, () -> stranger.value("SELECT i FROM temp.main.mine"));
  }

  @Test
  void withoutCookiesASessionEndsWithItsConnection() throws Exception {
    TestingClient client = server.connect();
    client.update("CREATE TEMP TABLE mine AS SELECT 7 AS i");
    assertThat(server.server().openConnections()).isEqualTo(1);
    client.close();
    await().until(() -> server.server().openConnections() == 0);
  }

  @Test
  void aSessionThatWasClosedIsForgottenByItsClient() throws Exception {
    var jar = new ClientCookieMiddleware.Factory();
    CookieClient client = cookies(jar);
    client.update("CREATE TEMP TABLE mine AS SELECT 7 AS i");
    assertThat(client.flight.closeSession(new CloseSessionRequest()).getStatus().toString())
        .isEqualTo("CLOSED");
    assertThat(server.server().openConnections()).isZero();
    assertFails(Status.Code.NOT_FOUND, () -> client.value("SELECT i FROM temp.main.mine"));
    client.update("CREATE TEMP TABLE mine AS SELECT 8 AS i");
    assertThat(cookies(jar).value("SELECT i FROM temp.main.mine")).isEqualTo(8);
  }

  @Test
  void anIdleSessionEndsAndItsClientHearsOfIt() throws Exception {
    start(Map.of("idle_session_timeout", "500ms"));
    var jar = new ClientCookieMiddleware.Factory();
    CookieClient keeping = cookies(jar);
    TestingClient plain = server.connect();
    opened.add(plain);
    plain.update("CREATE TABLE t (i INT)");
    keeping.update("BEGIN");
    keeping.update("INSERT INTO t VALUES (1)");
    plain.update("BEGIN");
    plain.update("INSERT INTO t VALUES (2)");
    await().until(() -> server.server().openConnections() == 0);
    // Nothing may be committed by itself that was meant for the transaction.
    assertFails(Status.Code.NOT_FOUND, () -> keeping.update("INSERT INTO t VALUES (3)"))
        .contains("rolled back");
    assertFails(Status.Code.NOT_FOUND, () -> plain.update("INSERT INTO t VALUES (4)"))
        .contains("rolled back");
    assertThat(keeping.value("SELECT count(*) FROM t")).isEqualTo(0L);
    assertThat(plain.value("SELECT count(*) FROM t")).isEqualTo(0L);
  }

  @Test
  void aSessionIsNotIdleWhileItIsUsed() throws Exception {
    start(Map.of("idle_session_timeout", "1s"));
    CookieClient client = cookies(new ClientCookieMiddleware.Factory());
    client.update("CREATE TEMP TABLE mine AS SELECT 7 AS i");
    long end = System.nanoTime() + Duration.ofSeconds(3).toNanos();
    while (System.nanoTime() < end) {
      assertThat(client.value("SELECT i FROM temp.main.mine")).isEqualTo(7);
      Thread.sleep(200);
    }
  }

  @Test
  void anotherServerSaysThatItDoesNotHaveTheSession() throws Exception {
    var secret = Map.of("flight_token_secret", "a secret of thirty-two characters");
    start(secret);
    try (TestingLakeServer other = TestingLakeServer.start(secret)) {
      var jar = new ClientCookieMiddleware.Factory();
      CookieClient here = cookies(jar);
      assertThat(here.value("SELECT 1")).isEqualTo(1);
      CookieClient there = new CookieClient(other.port(), jar);
      assertThat(there.value("SELECT 1")).isEqualTo(1);
      here.update("CREATE TEMP TABLE mine AS SELECT 7 AS i");
      assertFails(Status.Code.NOT_FOUND, () -> there.value("SELECT i FROM temp.main.mine"))
          .contains("its server is gone");
      assertThat(there.value("SELECT 2")).isEqualTo(2);
      there.close();
    }
  }

  @Test
  void aTokenFindsItsSessionFromAnotherConnection() throws Exception {
    start(Map.of("flight_users", USERS));
    TestingClient first = server.connect();
    TestingClient second = server.connect();
    opened.add(second);
    CredentialCallOption token = first.flight().authenticateBasicToken("ann", "one").orElseThrow();
    var _ = first.sql().executeUpdate("CREATE TEMP TABLE mine AS SELECT 7 AS i", token);
    assertThat(value(second, "SELECT i FROM temp.main.mine", token)).isEqualTo(7);
    first.close();
    assertThat(value(second, "SELECT i FROM temp.main.mine", token)).isEqualTo(7);
    CredentialCallOption others =
        second.flight().authenticateBasicToken("ann", "one").orElseThrow();
    assertThat(value(second, "SELECT i FROM temp.main.mine", token)).isEqualTo(7);
    TestingClient third = server.connect();
    opened.add(third);
    assertThat(value(third, "SELECT i FROM temp.main.mine", token)).isEqualTo(7);
    CredentialCallOption bobs = third.flight().authenticateBasicToken("bob", "two").orElseThrow();
    assertFails(Status.Code.NOT_FOUND, () -> value(third, "SELECT i FROM temp.main.mine", bobs));
    assertThat(value(third, "SELECT 1", others)).isEqualTo(1);
  }

  private static Object value(TestingClient client, String query, CallOption option)
      throws Exception {
    try (var stream = client.stream(client.info(query, option), option)) {
      return TestingClient.rows(stream).getFirst().getFirst();
    }
  }

  /** A cookie is its user's only, and one that was altered is none. */
  @Test
  void nobodyComesIntoAnothersSession() throws Exception {
    start(Map.of("flight_users", USERS));
    var jar = new ClientCookieMiddleware.Factory();
    CookieClient ann = cookies(jar, password("ann", "one"));
    ann.update("CREATE TEMP TABLE mine AS SELECT 7 AS i");
    CookieClient bob = cookies(jar, password("bob", "two"));
    assertFails(Status.Code.NOT_FOUND, () -> bob.value("SELECT i FROM temp.main.mine"));

    TestingClient raw = server.connect();
    opened.add(raw);
    for (String cookie : List.of("", "x", "AAAA", "%%%", "\"", ";;;=", "a".repeat(500))) {
      CallHeaders headers = new FlightCallHeaders();
      headers.insert("cookie", "other=1; " + SessionDoor.COOKIE + "=" + cookie);
      headers.insert("authorization", "Basic YW5uOm9uZQ==");
      var option = new HeaderCallOption(headers);
      assertFails(Status.Code.NOT_FOUND, () -> value(raw, "SELECT i FROM temp.main.mine", option));
    }
  }
}
