package com.lokryn.ducklake.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.access.Grants;
import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.auth.Verdict.Known;
import com.lokryn.ducklake.auth.Verdict.Reason;
import com.lokryn.ducklake.auth.Verdict.Refused;
import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.testing.TestingProvider;
import com.lokryn.ducklake.testing.TestingProvider.Mood;
import com.lokryn.ducklake.testing.TestingTokens;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tokens of an identity provider that publishes its keys on this machine. */
class ProviderTokensTest {
  private static final RSAKey RSA = TestingProvider.rsa("r1");
  private static final RSAKey OTHER = TestingProvider.rsa("r2");
  private static final ECKey EC = TestingProvider.ec(Curve.P_256, "e1");

  private static final ProviderKeys.Timing QUICK =
      new ProviderKeys.Timing(
          Duration.ofMillis(2_500),
          Duration.ofMillis(500),
          Duration.ofMillis(400),
          Duration.ofSeconds(60),
          Duration.ofMillis(500));

  private final TestingProvider provider = new TestingProvider(RSA.toPublicJWK());
  private final List<AutoCloseable> opened = new ArrayList<>(List.of(provider));

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable one : opened.reversed()) {
      one.close();
    }
  }

  private ProviderTokens tokens(Map<String, String> settings) throws Exception {
    return tokens(settings, QUICK);
  }

  private ProviderTokens tokens(Map<String, String> settings, ProviderKeys.Timing timing)
      throws Exception {
    var all = new HashMap<>(provider.settings());
    all.putAll(settings);
    ServerConfig config = ServerConfig.of(all, Optional.empty(), Map.of());
    var tokens =
        new ProviderTokens(
            ProviderSettings.of(config).orElseThrow(), timing, InstantSource.system());
    opened.add(tokens);
    return tokens;
  }

  private static Verdict check(ProviderTokens tokens, String token) throws Exception {
    return tokens.check(token).get(10, TimeUnit.SECONDS);
  }

  private static Refused refused(ProviderTokens tokens, String token) throws Exception {
    Verdict verdict = check(tokens, token);
    assertThat(verdict).as(token).isInstanceOf(Refused.class);
    return (Refused) verdict;
  }

  private static String with(Consumer<JWTClaimsSet.Builder> change) {
    return TestingProvider.token(JWSAlgorithm.RS256, RSA, change);
  }

  private static Date in(int seconds) {
    return Date.from(Instant.now().plusSeconds(seconds));
  }

  @Test
  void whatIsSignedWithAPublishedKeyIsTaken() throws Exception {
    var signed = new HashMap<JWSAlgorithm, JWK>();
    for (JWSAlgorithm algorithm : ProviderKeys.ALGORITHMS) {
      signed.put(
          algorithm,
          switch (algorithm.getName()) {
            case "ES256" -> EC;
            case "ES384" -> TestingProvider.ec(Curve.P_384, "e2");
            case "ES512" -> TestingProvider.ec(Curve.P_521, "e3");
            default -> RSA;
          });
    }
    assertThat(signed).hasSize(9);
    provider.publish(signed.values().stream().distinct().map(JWK::toPublicJWK).toArray(JWK[]::new));
    ProviderTokens tokens = tokens(Map.of());
    for (Map.Entry<JWSAlgorithm, JWK> one : signed.entrySet()) {
      assertThat(check(tokens, TestingProvider.token(one.getKey(), one.getValue(), "ana")))
          .as(one.getKey().getName())
          .isEqualTo(Known.each(new Identity("jwt:ana", Role.ADMIN)));
    }
    assertThat(provider.requests()).as("for all of them").isEqualTo(1);
  }

  /** Each call carries it; the hash of the text stands for it. */
  @Test
  void aTokenIsCheckedOnce() throws Exception {
    ProviderTokens tokens = tokens(Map.of());
    String token = with(_ -> {});
    assertThat(tokens.check(token).isDone()).as("the keys have to be fetched").isFalse();
    assertThat(check(tokens, token)).isInstanceOf(Known.class);
    assertThat(tokens.check(token).isDone()).isTrue();
  }

  @Test
  void noneThatWasAlteredIsTaken() throws Exception {
    ProviderTokens tokens = tokens(Map.of());
    String token = TestingProvider.token(JWSAlgorithm.RS256, RSA, "ana");
    assertThat(check(tokens, token)).isInstanceOf(Known.class);
    for (String altered : TestingTokens.altered(token)) {
      assertThat(refused(tokens, altered).reason()).as(altered).isEqualTo(Reason.UNKNOWN);
    }
  }

  @Test
  void whatIsNotForThisServerIsRefused() throws Exception {
    ProviderTokens tokens = tokens(Map.of());
    assertThat(check(tokens, with(claims -> claims.expirationTime(in(-20)))))
        .as("a clock may be off")
        .isInstanceOf(Known.class);
    assertThat(check(tokens, with(claims -> claims.notBeforeTime(in(20)))))
        .isInstanceOf(Known.class);
    assertThat(refused(tokens, with(claims -> claims.expirationTime(in(-40)))).text())
        .contains("the token has expired");
    var hmac =
        new SignedJWT(
            new JWSHeader.Builder(JWSAlgorithm.HS256).type(JOSEObjectType.JWT).build(),
            JWTClaimsSet.parse(SignedJWT.parse(with(_ -> {})).getJWTClaimsSet().toJSONObject()));
    hmac.sign(new MACSigner(RSA.toPublicJWK().toJSONString().getBytes(StandardCharsets.UTF_8)));
    for (String token :
        List.of(
            with(claims -> claims.expirationTime(null)),
            with(claims -> claims.notBeforeTime(in(40))),
            with(claims -> claims.audience("another")),
            with(claims -> claims.audience((String) null)),
            with(claims -> claims.issuer("https://another")),
            with(claims -> claims.issuer(null)),
            with(claims -> claims.subject(null)),
            with(claims -> claims.subject(" ")),
            with(claims -> claims.subject("a\nb")),
            with(claims -> claims.subject("a".repeat(300))),
            hmac.serialize(),
            TestingProvider.token(JWSAlgorithm.RS256, OTHER, "ana"),
            TestingProvider.token(
                new JWSHeader.Builder(JWSAlgorithm.RS256).keyID("r1").build(), OTHER, _ -> {}),
            TestingProvider.token(
                new JWSHeader.Builder(JWSAlgorithm.RS256)
                    .type(new JOSEObjectType("ducklake-flight-session+jwt"))
                    .keyID("r1")
                    .build(),
                RSA,
                _ -> {}),
            new SessionTokens(Optional.empty(), Duration.ofHours(1), InstantSource.system())
                .issue("ana", "s1"),
            "",
            "a.b.c")) {
      assertThat(refused(tokens, token).reason()).as(token).isEqualTo(Reason.UNKNOWN);
    }
  }

  @Test
  void rolesAndGrants() throws Exception {
    Map<String, Object> nested =
        Map.of("roles", List.of("offline_access", "reader", "admin", "writer"));
    ProviderTokens plain = tokens(Map.of());
    ProviderTokens inside = tokens(Map.of("flight_jwt_role_claim", "realm_access.roles"));
    ProviderTokens dotted =
        tokens(
            Map.of(
                "flight_jwt_role_claim", "https://app.example.com/role",
                "flight_jwt_user_claim", "email",
                "flight_jwt_grants_claim", "ducklake.grants"));
    assertThat(check(inside, with(claims -> claims.claim("realm_access", nested))))
        .isEqualTo(Known.each(new Identity("jwt:ana", Role.ADMIN)));
    assertThat(
            check(
                dotted,
                with(
                    claims ->
                        claims
                            .claim("https://app.example.com/role", "admin")
                            .claim("email", "ana@example.com"))))
        .isEqualTo(Known.each(new Identity("jwt:ana@example.com", Role.ADMIN)));
    for (Object none : new Object[] {"boss", "Admin", 7, List.of(), List.of("x", 7), Map.of()}) {
      assertThat(refused(plain, with(claims -> claims.claim("role", none))))
          .isEqualTo(
              new Refused(
                  Reason.FORBIDDEN, "the token has no role reader, writer or admin in claim role"));
    }
    assertThat(refused(inside, with(claims -> claims.claim("realm_access", "admin"))).text())
        .endsWith("in claim realm_access.roles");
    for (Object wrong : new Object[] {"x", List.of(), Map.of("main.t", 1), Map.of("t", "select")}) {
      Refused refused = refused(plain, with(claims -> claims.claim("grants", wrong)));
      assertThat(refused.reason()).isEqualTo(Reason.FORBIDDEN);
      assertThat(refused.text()).startsWith("the token's claim grants ");
    }
  }

  @Test
  void rolesAndGrantsAreThoseOfTheToken() throws Exception {
    ProviderTokens tokens = tokens(Map.of());
    for (Role role : Role.values()) {
      assertThat(check(tokens, with(claims -> claims.claim("role", role.text()))))
          .isEqualTo(Known.each(new Identity("jwt:ana", role)));
    }
    Map<String, String> grants = Map.of("main.t", "select|insert");
    assertThat(check(tokens, with(claims -> claims.claim("grants", grants))))
        .isEqualTo(
            Known.each(new Identity("jwt:ana", Role.ADMIN, Optional.of(Grants.parse(grants)))));
  }

  @Test
  void newKeysAreFoundAndOldOnesForgotten() throws Exception {
    ProviderTokens tokens = tokens(Map.of());
    assertThat(check(tokens, TestingProvider.token(JWSAlgorithm.RS256, RSA, "ana")))
        .isInstanceOf(Known.class);
    provider.publish(RSA.toPublicJWK(), EC.toPublicJWK());
    assertThat(check(tokens, TestingProvider.token(JWSAlgorithm.ES256, EC, "ana")))
        .as("fetched anew, since it names a key that is not there")
        .isInstanceOf(Known.class);
    provider.publish(EC.toPublicJWK());
    await()
        .until(
            () ->
                check(tokens, TestingProvider.token(JWSAlgorithm.RS256, RSA, "another"))
                    instanceof Refused);
    assertThat(check(tokens, TestingProvider.token(JWSAlgorithm.ES256, EC, "bo")))
        .isInstanceOf(Known.class);
  }

  /** Whoever makes up keys must not have the provider asked for each. */
  @Test
  void unknownKeysAreAskedForOnceInAWhile() throws Exception {
    ProviderTokens tokens = tokens(Map.of(), ProviderKeys.Timing.USUAL);
    assertThat(check(tokens, with(_ -> {}))).isInstanceOf(Known.class);
    for (int i = 0; i < 50; i++) {
      String id = "made-up-" + i;
      String token =
          TestingProvider.token(
              new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(id).build(), OTHER, _ -> {});
      assertThat(refused(tokens, token).reason()).isEqualTo(Reason.UNKNOWN);
    }
    assertThat(provider.requests()).isLessThanOrEqualTo(3);
    assertThat(check(tokens, with(claims -> claims.subject("bo")))).isInstanceOf(Known.class);
  }

  @Test
  void anOutageIsSurvived() throws Exception {
    ProviderTokens tokens = tokens(Map.of());
    for (Mood mood : List.of(Mood.BROKEN, Mood.CONFUSED, Mood.SILENT)) {
      provider.is(mood);
      await()
          .untilAsserted(
              () -> {
                Refused refused = refused(tokens, with(_ -> {}));
                assertThat(refused.reason()).isEqualTo(Reason.UNAVAILABLE);
                assertThat(refused.text())
                    .contains("keys cannot be fetched")
                    .doesNotContain("10.1.2.3", "127.0.0.1");
              });
    }
    provider.is(Mood.WELL);
    await().until(() -> check(tokens, with(_ -> {})) instanceof Known);
    provider.is(Mood.BROKEN);
    long end = System.nanoTime() + QUICK.keep().plusSeconds(2).toNanos();
    for (int i = 0; System.nanoTime() < end; i++) {
      String name = "user" + i;
      assertThat(check(tokens, with(claims -> claims.subject(name)))).isInstanceOf(Known.class);
      Thread.sleep(50);
    }
    provider.is(Mood.WELL);
    provider.publish(EC.toPublicJWK());
    await()
        .until(
            () ->
                check(tokens, TestingProvider.token(JWSAlgorithm.ES256, EC, "ana"))
                    instanceof Known);
  }

  /** Who asks is not held up, and only so many wait. */
  @Test
  void aSilentProviderHoldsNobodyUp() throws Exception {
    provider.is(Mood.SILENT);
    ProviderTokens tokens = tokens(Map.of(), ProviderKeys.Timing.USUAL);
    var asked = new ArrayList<CompletableFuture<Verdict>>();
    var texts = new ArrayList<String>();
    for (int i = 0; i < 80; i++) {
      String name = "user" + i;
      texts.add(with(claims -> claims.subject(name)));
    }
    long start = System.nanoTime();
    texts.forEach(text -> asked.add(tokens.check(text)));
    assertThat(System.nanoTime() - start).isLessThan(2_000_000_000L);
    assertThat(asked.stream().filter(CompletableFuture::isDone))
        .hasSize(80 - 64)
        .allSatisfy(
            busy ->
                assertThat(busy.join())
                    .isInstanceOfSatisfying(
                        Refused.class,
                        refused -> assertThat(refused.reason()).isEqualTo(Reason.TOO_MANY)));
    for (CompletableFuture<Verdict> one : asked) {
      assertThat(one.get(20, TimeUnit.SECONDS)).isInstanceOf(Refused.class);
    }
    assertThat(System.nanoTime() - start).isLessThan(15_000_000_000L);
  }

  @Test
  void keysThatCanBeUsedAreCounted() throws Exception {
    RSAKey encrypting =
        new RSAKey.Builder(OTHER.toRSAPublicKey()).keyUse(KeyUse.ENCRYPTION).build();
    provider.publish(RSA.toPublicJWK(), EC.toPublicJWK(), encrypting);
    assertThat(ProviderKeys.count(URI.create(provider.keysUrl()), Duration.ofSeconds(3)))
        .isEqualTo(2);
  }

  @Test
  void theDoctorSaysWhatIsWrongWithTheKeys() throws Exception {
    ServerConfig config = ServerConfig.of(provider.settings(), Optional.empty(), Map.of());
    assertThat(ProviderCheck.of(config))
        .isEqualTo(new Finding.Passed("1 that tokens may be signed with"));
    provider.publish();
    assertThat(ProviderCheck.of(config))
        .isInstanceOfSatisfying(
            Finding.Failed.class,
            failed -> assertThat(failed.problem().sentence()).contains("has no key", "jwks_uri"));
    for (Mood mood : List.of(Mood.BROKEN, Mood.CONFUSED, Mood.SILENT)) {
      provider.is(mood);
      assertThat(ProviderCheck.of(config).remedy()).as(mood.name()).contains("jwks_uri");
    }
    ServerConfig without = ServerConfig.of(Map.of(), Optional.empty(), Map.of());
    assertThat(ProviderCheck.of(without)).isInstanceOf(Finding.Unneeded.class);
  }
}
