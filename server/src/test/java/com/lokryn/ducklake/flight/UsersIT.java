package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.nio.charset.StandardCharsets;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.arrow.flight.FlightRuntimeException;
import org.apache.arrow.flight.FlightStatusCode;
import org.apache.arrow.flight.grpc.CredentialCallOption;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.impl.FlightServiceGrpc;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Logins against {@code flight_users}, as drivers do them. */
class UsersIT {
  /** Of cost 10. */
  private static final String ANA =
      "{\"name\": \"ana\", \"password_hash\": \"$2a$10$k87L/MF28Q673VKh8/cPi.SUl7MU/rWuSiIDDFayrKk/1tBsSQu4u\", \"role\": \"admin\"}";

  private static final String BO =
      "{\"name\": \"bo\", \"password_hash\": \"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4\", \"role\": \"admin\"}";

  private static TestingLakeServer server;

  @BeforeAll
  static void start() throws Exception {
    server = TestingLakeServer.start(Map.of("flight_users", "[%s, %s]".formatted(ANA, BO)));
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @Test
  void aHandshakeAnswersWithAToken() throws Exception {
    try (var client = server.connect()) {
      for (String[] who : List.of(new String[] {"ana", "a"}, new String[] {"bo", "password"})) {
        CredentialCallOption token =
            client.flight().authenticateBasicToken(who[0], who[1]).orElseThrow();
        assertThat(client.info("SELECT 1", token).getEndpoints()).hasSize(1);
      }
    }
  }

  @Test
  void aWrongPasswordAndAnUnknownNameLookTheSame() throws Exception {
    var texts = new ArrayList<String>();
    for (String[] who :
        List.of(
            new String[] {"ana", "b"}, new String[] {"bo", "a"}, new String[] {"nobody", "a"})) {
      try (var client = server.connect()) {
        assertThatThrownBy(() -> client.flight().authenticateBasicToken(who[0], who[1]))
            .isInstanceOfSatisfying(
                FlightRuntimeException.class,
                e -> {
                  assertThat(e.status().code()).isEqualTo(FlightStatusCode.UNAUTHENTICATED);
                  texts.add(e.getMessage());
                });
      }
    }
    assertThat(texts).hasSize(3).containsOnly(texts.getFirst());
  }

  @Test
  void nobodyComesInWithoutAPassword() throws Exception {
    try (var client = server.connect()) {
      assertThatThrownBy(() -> client.info("SELECT 1"))
          .isInstanceOfSatisfying(
              FlightRuntimeException.class,
              e -> assertThat(e.status().code()).isEqualTo(FlightStatusCode.UNAUTHENTICATED));
    }
  }

  @Test
  void eachCallMayCarryThePassword() throws Exception {
    try (var client = server.connect()) {
      var calls =
          client
              .raw()
              .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(basic("ana", "a")));
      assertThat(actions(calls)).isNotEmpty();
      long start = System.nanoTime();
      for (int i = 0; i < 50; i++) {
        actions(calls);
      }
      // A hash of this cost takes some 50 ms: it was made once.
      assertThat(System.nanoTime() - start).isLessThan(1_500_000_000L);
    }
  }

  /** Guesses wait on threads of their own; who has a token does not notice. */
  @Test
  void aFloodOfGuessesHoldsNobodyUp() throws Exception {
    try (var guesser = server.connect();
        var client = server.connect();
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      CredentialCallOption token = client.flight().authenticateBasicToken("ana", "a").orElseThrow();
      var guesses = new ArrayList<Future<Status.Code>>();
      for (int i = 0; i < 150; i++) {
        String guess = "guess" + i;
        guesses.add(
            threads.submit(
                (Callable<Status.Code>)
                    () -> {
                      try {
                        actions(
                            guesser
                                .raw()
                                .withInterceptors(
                                    MetadataUtils.newAttachHeadersInterceptor(
                                        basic("nobody" + guess, guess))));
                        return Status.Code.OK;
                      } catch (StatusRuntimeException e) {
                        return e.getStatus().getCode();
                      }
                    }));
      }
      long start = System.nanoTime();
      for (int i = 0; i < 5; i++) {
        client.info("SELECT 1", token);
      }
      long taken = System.nanoTime() - start;
      boolean allDone = guesses.stream().allMatch(Future::isDone);
      var codes = new ArrayList<Status.Code>();
      for (Future<Status.Code> guess : guesses) {
        codes.add(guess.get());
      }
      assertThat(codes)
          .containsOnly(Status.Code.UNAUTHENTICATED, Status.Code.RESOURCE_EXHAUSTED)
          .contains(Status.Code.UNAUTHENTICATED);
      assertThat(allDone).as("the flood outlasts the queries").isFalse();
      assertThat(Duration.ofNanos(taken)).isLessThan(Duration.ofSeconds(20));
    }
  }

  @Test
  void jdbc() throws Exception {
    String url =
        "jdbc:arrow-flight-sql://127.0.0.1:%d?useEncryption=false".formatted(server.port());
    try (var connection = DriverManager.getConnection(url, "bo", "password");
        var rows = connection.createStatement().executeQuery("SELECT 42")) {
      assertThat(rows.next()).isTrue();
    }
    assertThatThrownBy(() -> DriverManager.getConnection(url, "bo", "passwort"))
        .isInstanceOf(SQLException.class);
  }

  private static List<Flight.ActionType> actions(
      FlightServiceGrpc.FlightServiceBlockingStub calls) {
    var actions = new ArrayList<Flight.ActionType>();
    calls.listActions(Flight.Empty.getDefaultInstance()).forEachRemaining(actions::add);
    return actions;
  }

  private static Metadata basic(String user, String password) {
    var headers = new Metadata();
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
        "Basic "
            + Base64.getEncoder()
                .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8)));
    return headers;
  }
}
