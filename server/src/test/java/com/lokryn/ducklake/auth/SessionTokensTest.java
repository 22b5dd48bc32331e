package com.lokryn.ducklake.auth;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.auth.SessionTokens.Expired;
import com.lokryn.ducklake.auth.SessionTokens.Foreign;
import com.lokryn.ducklake.auth.SessionTokens.Good;
import com.lokryn.ducklake.auth.SessionTokens.Token;
import com.lokryn.ducklake.testing.TestingClock;
import com.lokryn.ducklake.testing.TestingTokens;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.Optional;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The tokens that logins are answered with, by a clock that the test sets. */
class SessionTokensTest {
  private static final byte[] SECRET =
      "a secret of thirty-two characters".getBytes(StandardCharsets.UTF_8);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final JOSEObjectType TYPE = new JOSEObjectType("ducklake-flight-session+jwt");

  private final TestingClock clock = new TestingClock("2026-01-01T00:00:00.500Z");
  private final SessionTokens tokens = new SessionTokens(Optional.of(SECRET), HOUR, clock);

  @Test
  void aTokenSaysWhoseItIsUntilItEnds() {
    String text = tokens.issue("ana:ünï", "s1");
    Token token =
        new Token(
            "ana:ünï",
            "s1",
            Instant.parse("2026-01-01T00:00:00Z"),
            Instant.parse("2026-01-01T01:00:00Z"));
    assertThat(tokens.read(text)).isEqualTo(new Good(token));
    assertThat(tokens.isAging(token)).isFalse();
    clock.set("2026-01-01T00:30:00Z");
    assertThat(tokens.isAging(token)).isFalse();
    clock.set("2026-01-01T00:30:00.001Z");
    assertThat(tokens.isAging(token)).isTrue();
    clock.set("2026-01-01T00:59:59.999Z");
    assertThat(tokens.read(text)).isEqualTo(new Good(token));
    clock.set("2026-01-01T01:00:00Z");
    assertThat(tokens.read(text)).isEqualTo(new Expired());
  }

  @Test
  void itIsGoodWhereverTheSecretIs() {
    String text = tokens.issue("ana", "s1");
    assertThat(new SessionTokens(Optional.of(SECRET), Duration.ofSeconds(5), clock).read(text))
        .isInstanceOf(Good.class);
    byte[] other = SECRET.clone();
    other[0]++;
    assertThat(new SessionTokens(Optional.of(other), HOUR, clock).read(text))
        .isEqualTo(new Foreign());
    assertThat(new SessionTokens(Optional.empty(), HOUR, clock).read(text))
        .isEqualTo(new Foreign());
    String ofProcess = new SessionTokens(Optional.empty(), HOUR, clock).issue("ana", "s1");
    assertThat(new SessionTokens(Optional.empty(), HOUR, clock).read(ofProcess))
        .isEqualTo(new Foreign());
  }

  /** The clocks of two servers may be half a minute apart. */
  @Test
  void itIsNotGoodBeforeItWasMade() {
    String text = tokens.issue("ana", "s1");
    clock.set("2025-12-31T23:59:31Z");
    assertThat(tokens.read(text)).isInstanceOf(Good.class);
    clock.set("2025-12-31T23:59:29Z");
    assertThat(tokens.read(text)).isEqualTo(new Foreign());
  }

  @Test
  void noneThatWasAlteredIsTaken() {
    String text = tokens.issue("ana", "s1");
    assertThat(TestingTokens.altered(text))
        .hasSizeGreaterThan(text.length())
        .allSatisfy(
            altered -> assertThat(tokens.read(altered)).as(altered).isEqualTo(new Foreign()));
  }

  /** Of this key, and yet none of ours: what the library would take is pinned. */
  @Test
  void nothingElseOfTheKeyIsTaken() throws Exception {
    SecretKey key = TestingTokens.derived(SECRET);
    assertThat(tokens.read(sign(key, JWSAlgorithm.HS256, TYPE, claims().build())))
        .isInstanceOf(Good.class);
    for (String text :
        new String[] {
          sign(key, JWSAlgorithm.HS256, JOSEObjectType.JWT, claims().build()),
          sign(key, JWSAlgorithm.HS256, null, claims().build()),
          sign(longer(key), JWSAlgorithm.HS384, TYPE, claims().build()),
          sign(longer(key), JWSAlgorithm.HS512, TYPE, claims().build()),
          sign(key, JWSAlgorithm.HS256, TYPE, claims().issuer("https://provider").build()),
          sign(key, JWSAlgorithm.HS256, TYPE, claims().audience("another").build()),
          sign(key, JWSAlgorithm.HS256, TYPE, claims().subject(null).build()),
          sign(key, JWSAlgorithm.HS256, TYPE, claims().claim("sid", null).build()),
          sign(key, JWSAlgorithm.HS256, TYPE, claims().claim("sid", 7).build()),
          sign(key, JWSAlgorithm.HS256, TYPE, claims().expirationTime(null).build()),
          sign(key, JWSAlgorithm.HS256, TYPE, claims().issueTime(null).build()),
          sign(key, JWSAlgorithm.HS256, TYPE, claims().notBeforeTime(in(60)).build()),
          // The secret itself signs other things.
          sign(new SecretKeySpec(SECRET, "HmacSHA256"), JWSAlgorithm.HS256, TYPE, claims().build()),
        }) {
      assertThat(tokens.read(text)).as(text).isEqualTo(new Foreign());
    }
    for (String text : new String[] {"", ".", "..", "a.b.c", "%%%", "x".repeat(50_000)}) {
      assertThat(tokens.read(text)).as(text).isEqualTo(new Foreign());
    }
  }

  private static SecretKey longer(SecretKey key) {
    return new SecretKeySpec(Arrays.copyOf(key.getEncoded(), 64), "HmacSHA512");
  }

  private Date in(int seconds) {
    return Date.from(clock.instant().plusSeconds(seconds));
  }

  private JWTClaimsSet.Builder claims() {
    return new JWTClaimsSet.Builder()
        .issuer("ducklake-flight")
        .audience("ducklake-flight")
        .subject("ana")
        .claim("sid", "s1")
        .issueTime(in(0))
        .expirationTime(in(60));
  }

  private static String sign(
      SecretKey key, JWSAlgorithm algorithm, @Nullable JOSEObjectType type, JWTClaimsSet claims)
      throws Exception {
    var jwt = new SignedJWT(new JWSHeader.Builder(algorithm).type(type).build(), claims);
    jwt.sign(new MACSigner(key));
    return jwt.serialize();
  }
}
