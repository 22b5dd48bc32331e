package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.lokryn.ducklake.testing.RawBytes;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingProvider;
import com.lokryn.ducklake.testing.TestingProvider.Mood;
import com.lokryn.ducklake.testing.TestingTokens;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.nio.charset.StandardCharsets;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.apache.arrow.flight.sql.FlightSqlClient;
import org.bouncycastle.crypto.generators.OpenBSDBCrypt;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Session tokens, and that nothing but the health service answers without one or a password. */
class TokensIT {
  private static final String SECRET = "a secret of thirty-two characters";

  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final List<AutoCloseable> opened = new ArrayList<>();

  /** How a call ended, and what token it was answered with. */
  private record Answer(Status status, @Nullable String token) {}

  private static String user(String name, String password) {
    String hash = OpenBSDBCrypt.generate(password.toCharArray(), new byte[16], 4);
    return "{\"name\": \"%s\", \"password_hash\": \"%s\", \"role\": \"admin\"}"
        .formatted(name, hash);
  }

  private TestingLakeServer start(Map<String, String> settings) throws Exception {
    var all = new LinkedHashMap<String, String>();
    all.put(
        "flight_users",
        "[%s, %s, %s]".formatted(user("ann", "one"), user("bob", "two"), user("cat", "three")));
    all.put("flight_token_secret", SECRET);
    all.putAll(settings);
    TestingLakeServer server = TestingLakeServer.start(all);
    opened.add(server);
    return server;
  }

  private TestingClient connect(TestingLakeServer server) {
    TestingClient client = server.connect();
    opened.add(client);
    return client;
  }

  private ManagedChannel channel(TestingLakeServer server) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    opened.add(channel::shutdownNow);
    return channel;
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable one : opened.reversed()) {
      one.close();
    }
  }

  private static String basic(String user, String password) {
    byte[] text = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
    return "Basic " + Base64.getEncoder().encodeToString(text);
  }

  /** Any method by its name, with no message of its own. */
  private static Answer call(ManagedChannel channel, String method, Optional<String> authorization)
      throws Exception {
    ClientCall<byte[], byte[]> call = channel.newCall(RawBytes.method(method), CallOptions.DEFAULT);
    var headers = new Metadata();
    authorization.ifPresent(text -> headers.put(AUTHORIZATION, text));
    var token = new CompletableFuture<@Nullable String>();
    var ended = new CompletableFuture<Status>();
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onHeaders(Metadata answered) {
            token.complete(answered.get(AUTHORIZATION));
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            token.complete(null);
            ended.complete(status);
          }
        },
        headers);
    call.request(1_000);
    call.sendMessage(new byte[0]);
    call.halfClose();
    return new Answer(ended.get(10, TimeUnit.SECONDS), token.get());
  }

  private static Answer handshake(ManagedChannel channel, String authorization) throws Exception {
    return call(
        channel, "arrow.flight.protocol.FlightService/Handshake", Optional.of(authorization));
  }

  private static Answer actions(ManagedChannel channel, String authorization) throws Exception {
    return call(
        channel, "arrow.flight.protocol.FlightService/ListActions", Optional.of(authorization));
  }

  private static String login(ManagedChannel channel) throws Exception {
    Answer answer = handshake(channel, basic("ann", "one"));
    assertThat(answer.status.getCode()).isEqualTo(Status.Code.OK);
    assertThat(answer.token).startsWith("Bearer ");
    return String.valueOf(answer.token);
  }

  @Test
  void eachMethodAsks() throws Exception {
    TestingLakeServer server = start(Map.of());
    ManagedChannel channel = channel(server);
    String good = login(channel).substring("Bearer ".length());
    var wrong = new ArrayList<Optional<String>>();
    wrong.add(Optional.empty());
    for (String header :
        List.of(
            "",
            "x",
            "Basic",
            "Basic %%%",
            "Basic " + "QQ".repeat(1_000),
            "Bearer",
            "Bearer x.y.z",
            "Digest " + good,
            good,
            "Bearer " + good + " " + good,
            "Bearer " + token(TestingTokens.derived(bytes("another secret")), _ -> {}),
            "Bearer " + token(own(), claims -> claims.expirationTime(in(-1))),
            "Bearer " + token(own(), claims -> claims.issueTime(in(60))),
            "Bearer " + token(own(), claims -> claims.notBeforeTime(in(60))),
            "Bearer " + token(own(), claims -> claims.audience("another")),
            "Bearer " + token(own(), claims -> claims.issuer("another")),
            "Bearer " + token(own(), claims -> claims.subject("nobody")),
            "Bearer " + token(new SecretKeySpec(bytes(SECRET), "HmacSHA256"), _ -> {}))) {
      wrong.add(Optional.of(header));
    }
    assertThat(actions(channel, "Bearer " + token(own(), _ -> {})).status.getCode())
        .as("what the others were made from")
        .isEqualTo(Status.Code.OK);
    List<String> methods = server.server().methods();
    assertThat(methods)
        .contains(
            "arrow.flight.protocol.FlightService/Handshake",
            "arrow.flight.protocol.FlightService/DoGet",
            "arrow.flight.protocol.FlightService/DoPut",
            "arrow.flight.protocol.FlightService/DoExchange",
            "arrow.flight.protocol.FlightService/PollFlightInfo",
            "grpc.health.v1.Health/Check")
        .hasSizeGreaterThanOrEqualTo(12);
    for (int i = 0; i < methods.size(); i++) {
      String method = methods.get(i);
      if (method.startsWith("grpc.health.v1.Health/")) {
        continue;
      }
      // After some wrong passwords of a name the next ones have to wait.
      String name = List.of("ann", "bob", "cat").get(i % 3);
      var all = new ArrayList<>(wrong);
      all.add(Optional.of(basic(name, "")));
      all.add(Optional.of(basic(name, "wrong")));
      all.add(Optional.of(basic("nobody" + i, "one")));
      for (Optional<String> header : all) {
        Status status = call(channel, method, header).status;
        assertThat(status.getCode())
            .as(method + " " + header + " " + status)
            .isEqualTo(Status.Code.UNAUTHENTICATED);
      }
    }
    assertThat(call(channel, "grpc.health.v1.Health/Check", Optional.empty()).status.getCode())
        .isEqualTo(Status.Code.OK);
  }

  @Test
  void noTokenThatWasAlteredOpensAnything() throws Exception {
    ManagedChannel channel = channel(start(Map.of()));
    String good = login(channel);
    for (String altered : TestingTokens.altered(good.substring("Bearer ".length()))) {
      Status status = actions(channel, "Bearer " + altered).status;
      assertThat(status.getCode()).as(altered).isEqualTo(Status.Code.UNAUTHENTICATED);
      assertThat(status.getDescription()).contains("connect again with user and password");
    }
    assertThat(actions(channel, good).status.getCode()).isEqualTo(Status.Code.OK);
  }

  /** As ADBC's driver does, which takes up the token of any answer. */
  @Test
  void aTokenIsRenewedWhileItIsUsed() throws Exception {
    ManagedChannel channel = channel(start(Map.of("flight_token_ttl", "4s")));
    String first = login(channel);
    assertThat(actions(channel, first).token).as("young").isNull();
    String current = first;
    int renewals = 0;
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(8);
    while (System.nanoTime() < end) {
      Answer answer = actions(channel, current);
      assertThat(answer.status.getCode()).isEqualTo(Status.Code.OK);
      if (answer.token != null) {
        renewals++;
        current = answer.token;
      }
      Thread.sleep(100);
    }
    assertThat(renewals).isBetween(2, 8);
    assertThat(session(current)).isEqualTo(session(first));
    Status status = actions(channel, first).status;
    assertThat(status.getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(status.getDescription()).isEqualTo("the session token has expired: log in again");
    assertThat(handshake(channel, first).status.getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(handshake(channel, current).token).as("a handshake renews").startsWith("Bearer ");
  }

  /** The driver keeps the token of its login; see the README. */
  @Test
  void jdbcHasToLogInAgain() throws Exception {
    TestingLakeServer server = start(Map.of("flight_token_ttl", "2s"));
    String url =
        "jdbc:arrow-flight-sql://127.0.0.1:%d?useEncryption=false".formatted(server.port());
    try (var connection = DriverManager.getConnection(url, "ann", "one");
        var statement = connection.createStatement()) {
      try (var rows = statement.executeQuery("SELECT 42")) {
        assertThat(rows.next()).isTrue();
      }
      Thread.sleep(2_500);
      assertThatThrownBy(() -> statement.executeQuery("SELECT 42"))
          .isInstanceOf(SQLException.class)
          .hasStackTraceContaining("the session token has expired: log in again");
    } catch (SQLException e) {
      // Closing tells the server, which does not listen any more.
      assertThat((Throwable) e)
          .hasStackTraceContaining("the session token has expired: log in again");
    }
  }

  @Test
  void anotherServerWithTheSecretTakesIt() throws Exception {
    TestingLakeServer first = start(Map.of());
    TestingLakeServer second = start(Map.of());
    TestingLakeServer stranger =
        start(Map.of("flight_token_secret", "another secret of thirty-two letters"));
    TestingClient here = connect(first);
    var token = here.flight().authenticateBasicToken("ann", "one").orElseThrow();
    var _ = here.sql().executeUpdate("CREATE TEMP TABLE mine AS SELECT 7 AS i", token);
    TestingClient there = connect(second);
    try (var stream = there.open("SELECT 42", token)) {
      assertThat(TestingClient.rows(stream)).isEqualTo(List.of(List.of(42)));
    }
    // A session of its own, with the same name, that its client comes back to.
    var _ = there.sql().executeUpdate("CREATE TEMP TABLE yours AS SELECT 8 AS i", token);
    TestingClient again = connect(second);
    try (var stream = again.open("SELECT i FROM temp.main.yours", token)) {
      assertThat(TestingClient.rows(stream)).isEqualTo(List.of(List.of(8)));
    }
    assertThatThrownBy(() -> again.info("SELECT i FROM temp.main.mine", token))
        .hasMessageContaining("mine");
    TestingClient nowhere = connect(stranger);
    assertThatThrownBy(() -> nowhere.info("SELECT 42", token))
        .hasMessageContaining("connect again with user and password");
  }

  /** Who carries another's token is them; with one's own, nothing of another's can be used. */
  @Test
  void nobodyUsesWhatIsAnothers() throws Exception {
    TestingLakeServer server = start(Map.of());
    TestingClient client = connect(server);
    var ann = client.flight().authenticateBasicToken("ann", "one").orElseThrow();
    var bob = client.flight().authenticateBasicToken("bob", "two").orElseThrow();
    var info = client.info("SELECT 42", ann);
    refused(() -> client.stream(info, bob).next());
    FlightSqlClient.PreparedStatement prepared = client.sql().prepare("SELECT 42", ann);
    refused(() -> prepared.execute(bob));
    FlightSqlClient.Transaction transaction = client.sql().beginTransaction(ann);
    refused(() -> client.sql().execute("SELECT 1", transaction, bob));
    refused(() -> client.sql().rollback(transaction, bob));
    refused(() -> client.sql().commit(transaction, bob));
    client.sql().rollback(transaction, ann);
    try (var stream = client.stream(info, ann)) {
      assertThat(TestingClient.rows(stream)).isEqualTo(List.of(List.of(42)));
    }
    prepared.close(ann);
  }

  private static void refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThat(catchThrowableOfType(RuntimeException.class, call))
        .hasMessageContaining("was not made here for this user");
  }

  @Test
  void guessesHaveToWaitAndOthersDoNot() throws Exception {
    ManagedChannel channel = channel(start(Map.of()));
    String token = login(channel);
    for (int i = 0; i < 10; i++) {
      assertThat(handshake(channel, basic("bob", "guess" + i)).status.getCode())
          .isEqualTo(Status.Code.UNAUTHENTICATED);
    }
    Status status = handshake(channel, basic("bob", "two")).status;
    assertThat(status.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(status.getDescription()).isEqualTo("too many failed logins: try again in 1 s");
    assertThat(actions(channel, token).status.getCode()).isEqualTo(Status.Code.OK);
    assertThat(actions(channel, basic("ann", "one")).status.getCode()).isEqualTo(Status.Code.OK);
    Thread.sleep(1_100);
    assertThat(handshake(channel, basic("bob", "two")).status.getCode()).isEqualTo(Status.Code.OK);
  }

  /** Its tokens come with each call, and are never exchanged for ours, which would last longer. */
  @Test
  void aProvidersTokenOpensTheSameDoor() throws Exception {
    RSAKey key = TestingProvider.rsa("r1");
    try (var provider = new TestingProvider(key.toPublicJWK())) {
      ManagedChannel channel = channel(start(provider.settings()));
      String good = "Bearer " + TestingProvider.token(JWSAlgorithm.RS256, key, "ann");
      Answer first = actions(channel, good);
      assertThat(first.status.getCode()).isEqualTo(Status.Code.OK);
      assertThat(first.token).isNull();
      Answer handshake = handshake(channel, good);
      assertThat(handshake.status.getCode()).isEqualTo(Status.Code.OK);
      assertThat(handshake.token).isNull();
      assertThat(actions(channel, login(channel)).status.getCode()).isEqualTo(Status.Code.OK);
      Status noRole =
          actions(
                  channel,
                  "Bearer "
                      + TestingProvider.token(
                          JWSAlgorithm.RS256, key, claims -> claims.claim("role", null)))
              .status;
      assertThat(noRole.getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
      assertThat(noRole.getDescription())
          .isEqualTo("the token has no role reader, writer or admin in claim role");
      for (String altered : TestingTokens.altered(good.substring("Bearer ".length()))) {
        assertThat(actions(channel, "Bearer " + altered).status.getCode())
            .as(altered)
            .isEqualTo(Status.Code.UNAUTHENTICATED);
      }
    }
  }

  /** While nobody can be told from a token, those with a password are let in as ever. */
  @Test
  void aSilentProviderIsNoReasonForOthersToWait() throws Exception {
    RSAKey key = TestingProvider.rsa("r1");
    try (var provider = new TestingProvider(key.toPublicJWK())) {
      provider.is(Mood.SILENT);
      ManagedChannel channel = channel(start(provider.settings()));
      String token = login(channel);
      try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
        var waiting = new ArrayList<Future<Answer>>();
        for (int i = 0; i < 20; i++) {
          String name = "user" + i;
          waiting.add(
              threads.submit(
                  () ->
                      actions(
                          channel,
                          "Bearer " + TestingProvider.token(JWSAlgorithm.RS256, key, name))));
        }
        // The provider has 3 s: calls of others on the same connection take none of them.
        long start = System.nanoTime();
        for (int i = 0; i < 10; i++) {
          assertThat(actions(channel, token).status.getCode()).isEqualTo(Status.Code.OK);
        }
        assertThat(System.nanoTime() - start).isLessThan(2_000_000_000L);
        for (Future<Answer> one : waiting) {
          Status status = one.get().status;
          assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
          assertThat(status.getDescription()).contains("keys cannot be fetched");
        }
      }
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static SecretKey own() throws Exception {
    return TestingTokens.derived(bytes(SECRET));
  }

  private static Date in(int seconds) {
    return Date.from(Instant.now().plusSeconds(seconds));
  }

  private static Object session(String header) throws Exception {
    return SignedJWT.parse(header.substring("Bearer ".length()))
        .getJWTClaimsSet()
        .getStringClaim("sid");
  }

  private static String token(SecretKey key, Consumer<JWTClaimsSet.Builder> change)
      throws Exception {
    var claims =
        new JWTClaimsSet.Builder()
            .issuer("ducklake-flight")
            .audience("ducklake-flight")
            .subject("ann")
            .claim("sid", "s1")
            .issueTime(in(-60))
            .expirationTime(in(60));
    change.accept(claims);
    var jwt =
        new SignedJWT(
            new JWSHeader.Builder(JWSAlgorithm.HS256)
                .type(new JOSEObjectType("ducklake-flight-session+jwt"))
                .build(),
            claims.build());
    jwt.sign(new MACSigner(key));
    return jwt.serialize();
  }
}
