package com.lokryn.ducklake.auth;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.lokryn.ducklake.access.Grants;
import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.config.FlightUser;
import com.lokryn.ducklake.config.FlightUser.Form;
import com.lokryn.ducklake.config.SecretText;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.StartException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UsersTest {
  /** Of jBCrypt's tests: the password is "a". */
  private static final String BCRYPT =
      "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe";

  private static final String BCRYPT_OF_COST_10 =
      "$2a$10$k87L/MF28Q673VKh8/cPi.SUl7MU/rWuSiIDDFayrKk/1tBsSQu4u";

  /** Of the reference implementation's tests: the password is "password". */
  private static final String ARGON2ID =
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

  private static final String ARGON2ID_OF_TWO_LANES =
      "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc";

  private Instant now = Instant.now();

  @ParameterizedTest
  @CsvSource({
    "BCRYPT, a, " + BCRYPT,
    "BCRYPT, a, " + BCRYPT_OF_COST_10,
    "ARGON2ID, password, '" + ARGON2ID + "'",
    "ARGON2ID, password, '" + ARGON2ID_OF_TWO_LANES + "'",
    "CLEAR, in clear, in clear"
  })
  void theOnePassword(Form form, String password, String kept) throws Exception {
    try (var logins = logins(user("ana", form, kept))) {
      assertThat(check(logins, "ana", password)).contains("ana");
      for (String wrong : List.of("", "b", password + "x", kept.substring(0, 5))) {
        assertThat(check(logins, "ana", wrong)).isEmpty();
      }
      assertThat(check(logins, "ana", password)).contains("ana");
      assertThat(check(logins, "Ana", password)).isEmpty();
      assertThat(check(logins, "", password)).isEmpty();
    }
  }

  @Test
  void otherPrefixesOfBcrypt() throws Exception {
    for (String prefix : List.of("$2b$", "$2y$")) {
      try (var logins = logins(user("ana", Form.BCRYPT, BCRYPT.replace("$2a$", prefix)))) {
        assertThat(check(logins, "ana", "a")).contains("ana");
      }
    }
  }

  /** The time would tell who is there. */
  @Test
  void anUnknownNameTakesAsLongAsAWrongPassword() throws Exception {
    try (var logins = logins(user("ana", Form.BCRYPT, BCRYPT_OF_COST_10))) {
      for (int i = 0; i < 5; i++) {
        check(logins, "warm", "up" + i);
      }
      var wrong = new long[9];
      var unknown = new long[wrong.length];
      for (int i = 0; i < wrong.length; i++) {
        wrong[i] = nanos(logins, "ana", "wrong" + i);
        unknown[i] = nanos(logins, "unknown" + i, "wrong");
      }
      assertThat((double) median(unknown) / median(wrong)).isBetween(0.5, 2.0);
    }
  }

  /** With users of several forms an unknown name is like one of them, always the same. */
  @Test
  void anUnknownNameHasOneForm() throws Exception {
    try (var logins =
        logins(user("ana", Form.BCRYPT, BCRYPT), user("bo", Form.CLEAR, "in clear"))) {
      var atOnce = new ArrayList<Boolean>();
      for (int name = 0; name < 40; name++) {
        boolean first = logins.check("unknown" + name, "x", null).isDone();
        assertThat(logins.check("unknown" + name, "y", null).isDone()).isEqualTo(first);
        atOnce.add(first);
      }
      assertThat(atOnce).contains(true, false);
    }
  }

  @Test
  void aSuccessIsRememberedForAWhile() throws Exception {
    try (var logins = logins(user("ana", Form.BCRYPT, BCRYPT_OF_COST_10))) {
      assertThat(logins.check("ana", "a", null).isDone()).isFalse();
      assertThat(check(logins, "ana", "a")).contains("ana");
      assertThat(logins.check("ana", "a", null))
          .isCompletedWithValue(Optional.of(new Identity("ana", Role.ADMIN)));
      assertThat(check(logins, "ana", "b")).isEmpty();
      assertThat(logins.check("ana", "b", null).isDone()).isFalse();
      now = now.plus(Duration.ofMinutes(6));
      assertThat(logins.check("ana", "a", null).isDone()).isFalse();
    }
  }

  /** A flood ends at the queue, and does not take more memory or threads. */
  @Test
  void tooManyAtOnceAreRefused() throws Exception {
    try (var logins = logins(user("ana", Form.BCRYPT, BCRYPT_OF_COST_10))) {
      var same = logins.check("ana", "guess", null);
      assertThat(logins.check("ana", "guess", null)).isSameAs(same);
      CompletableFuture<Optional<Identity>> last = same;
      for (int i = 0; i < 200 && !last.isCompletedExceptionally(); i++) {
        last = logins.check("name" + i, "guess", null);
      }
      assertThat(last.exceptionNow()).isInstanceOf(RejectedExecutionException.class);
      assertThat(Thread.getAllStackTraces().keySet())
          .filteredOn(thread -> thread.getName().startsWith("login-"))
          .hasSizeLessThanOrEqualTo(2);
    }
  }

  /** Who guesses is not even compared, and who was right is let in all the same. */
  @Test
  void guessesHaveToWait() throws Exception {
    InetAddress there = InetAddress.getByName("192.0.2.1");
    InetAddress elsewhere = InetAddress.getByName("192.0.2.2");
    try (var logins = logins(user("ana", Form.BCRYPT, BCRYPT), user("bo", Form.CLEAR, "clear"))) {
      assertThat(logins.check("ana", "a", there).get(10, SECONDS)).isPresent();
      for (String name : List.of("ana", "bo")) {
        for (int i = 0; i < 10; i++) {
          assertThat(logins.check(name, "guess" + i, there).get(10, SECONDS)).isEmpty();
        }
        assertThat(logins.check(name, "guess", there).exceptionNow())
            .isInstanceOfSatisfying(
                Logins.ThrottledException.class,
                e -> assertThat(e.delay()).isEqualTo(Duration.ofSeconds(1)));
      }
      assertThat(logins.check("bo", "clear", there).isCompletedExceptionally()).isTrue();
      assertThat(logins.check("bo", "clear", elsewhere).get()).isPresent();
      assertThat(logins.check("ana", "a", there).get()).as("remembered").isPresent();
      now = now.plusSeconds(1);
      assertThat(logins.check("bo", "clear", there).get()).isPresent();
    }
  }

  /** Neither a password nor the time that one takes tells that somebody has none. */
  @Test
  void whoHasNoPasswordHasNoneThatIsRight() throws Exception {
    try (var logins =
        logins(user("robot", Form.NONE, ""), user("ana", Form.BCRYPT, BCRYPT_OF_COST_10))) {
      for (String password : List.of("", "a")) {
        assertThat(logins.check("robot", password, null).isDone()).isFalse();
        assertThat(check(logins, "robot", password)).isEmpty();
      }
      assertThat(logins.identity("robot")).isPresent();
    }
    try (var logins = logins(user("robot", Form.NONE, ""))) {
      assertThat(logins.check("robot", "", null).get()).isEmpty();
    }
  }

  /** What comes in has what the settings say, so that it can be enforced. */
  @Test
  void anIdentityHasRoleAndGrants() {
    var grants = Optional.of(Grants.parse(Map.of("main.t", "select")));
    assertThat(
            Users.identity(
                new FlightUser("ana", new SecretText(""), Form.NONE, Role.READER, grants)))
        .isEqualTo(new Identity("ana", Role.READER, grants));
  }

  @Test
  void onlyACertificateStandsForAPassword() throws Exception {
    Map<String, String> users =
        Map.of("flight_users", "[{\"name\": \"robot\", \"role\": \"admin\"}]");
    assertThat(problem(users)).contains("robot has neither", "flight_tls_client_identity");
    var subject = new LinkedHashMap<>(users);
    subject.put("flight_tls_client_identity", "subject");
    assertThat(problem(subject)).contains("set flight_tls_client_ca");
    subject.put("flight_tls_client_ca", "ca.crt");
    subject.put("flight_tls_certificate", "tls.crt");
    subject.put("flight_tls_private_key", "tls.key");
    ServerConfig config = ServerConfig.of(subject, Optional.empty(), Map.of());
    assertThat(Users.configured(config).orElseThrow().identity("robot")).isPresent();
  }

  private static String problem(Map<String, String> settings) throws Exception {
    ServerConfig config = ServerConfig.of(settings, Optional.empty(), Map.of());
    return catchThrowableOfType(StartException.class, () -> Users.configured(config))
        .problem()
        .sentence();
  }

  private Logins logins(FlightUser... users) throws StartException {
    return new Logins(Users.of(List.of(users)), () -> now);
  }

  private static FlightUser user(String name, Form form, String kept) {
    return new FlightUser(name, new SecretText(kept), form, Role.ADMIN);
  }

  private static Optional<String> check(Logins logins, String name, String password)
      throws Exception {
    return logins.check(name, password, null).get(10, SECONDS).map(Identity::name);
  }

  private static long nanos(Logins logins, String name, String password) throws Exception {
    long start = System.nanoTime();
    check(logins, name, password);
    return System.nanoTime() - start;
  }

  private static long median(long[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }
}
