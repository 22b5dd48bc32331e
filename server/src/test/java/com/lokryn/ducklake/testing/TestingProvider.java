package com.lokryn.ducklake.testing;

import com.lokryn.ducklake.testing.ScriptedService.Answer;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** An identity provider: publishes keys on this machine, and signs whatever a test asks for. */
public final class TestingProvider implements AutoCloseable {
  public static final String ISSUER = "https://provider.example.com";
  public static final String AUDIENCE = "ducklake";

  /** What it does when it is asked for its keys. */
  public enum Mood {
    WELL,
    /** It answers with a fault. */
    BROKEN,
    /** It answers something else. */
    CONFUSED,
    /** It answers nothing. */
    SILENT
  }

  private final AtomicReference<Mood> mood = new AtomicReference<>(Mood.WELL);
  private final AtomicReference<List<JWK>> published = new AtomicReference<>(List.of());
  private final ScriptedService service = ScriptedService.to(_ -> answer());

  /** Publishes these. */
  public TestingProvider(JWK... keys) {
    publish(keys);
  }

  private Answer answer() {
    return switch (mood.get()) {
      case WELL -> new Answer(200, "application/json", new JWKSet(published.get()).toString(true));
      case BROKEN -> new Answer(500, "text/plain", "internal 10.1.2.3");
      case CONFUSED -> new Answer(200, "text/html", "<html>");
      case SILENT -> Answer.none();
    };
  }

  public static RSAKey rsa(String id) {
    try {
      return new RSAKeyGenerator(2048).keyID(id).generate();
    } catch (JOSEException e) {
      throw new AssertionError(e);
    }
  }

  public static ECKey ec(Curve curve, String id) {
    try {
      return new ECKeyGenerator(curve).keyID(id).generate();
    } catch (JOSEException e) {
      throw new AssertionError(e);
    }
  }

  /** From here on it publishes these and no others. */
  public void publish(JWK... keys) {
    published.set(List.of(keys));
  }

  public void is(Mood now) {
    mood.set(now);
  }

  public String keysUrl() {
    return service.endpoint() + "/keys";
  }

  /** How often it was asked for its keys. */
  public int requests() {
    return service.requests().size();
  }

  /** The settings of a server that takes its tokens. */
  public Map<String, String> settings() {
    return Map.of(
        "flight_jwt_issuer", ISSUER,
        "flight_jwt_audience", AUDIENCE,
        "flight_jwt_jwks_url", keysUrl());
  }

  /** A token for an admin. */
  public static String token(JWSAlgorithm algorithm, JWK key, String subject) {
    return token(algorithm, key, claims -> claims.subject(subject));
  }

  public static String token(
      JWSAlgorithm algorithm, JWK key, Consumer<JWTClaimsSet.Builder> change) {
    return token(
        new JWSHeader.Builder(algorithm).type(JOSEObjectType.JWT).keyID(key.getKeyID()).build(),
        key,
        change);
  }

  public static String token(JWSHeader header, JWK key, Consumer<JWTClaimsSet.Builder> change) {
    Instant now = Instant.now();
    var claims =
        new JWTClaimsSet.Builder()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .subject("ana")
            .claim("role", "admin")
            .issueTime(Date.from(now))
            .expirationTime(Date.from(now.plusSeconds(300)));
    change.accept(claims);
    try {
      JWSSigner signer =
          switch (key) {
            case RSAKey rsa -> new RSASSASigner(rsa);
            case ECKey ec -> new ECDSASigner(ec);
            default -> throw new IllegalArgumentException("no key for signing");
          };
      var jwt = new SignedJWT(header, claims.build());
      jwt.sign(signer);
      return jwt.serialize();
    } catch (JOSEException e) {
      throw new AssertionError(e);
    }
  }

  /** What was asked for, so far. */
  public List<String> log() {
    return new ArrayList<>(service.requests());
  }

  @Override
  public void close() {
    service.close();
  }
}
