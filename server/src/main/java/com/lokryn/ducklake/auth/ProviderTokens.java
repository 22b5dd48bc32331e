package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.auth.Verdict.Known;
import com.lokryn.ducklake.auth.Verdict.Reason;
import com.lokryn.ducklake.auth.Verdict.Refused;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.jwk.source.RateLimitReachedException;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.BadJWTException;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.jwt.proc.ExpiredJWTException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks the bearer tokens of an identity provider. Whatever may wait for the provider's keys does
 * so on threads of its own, of which there are only so many; a token that was found right is
 * remembered for a while, since each call carries it. Thread-safe.
 */
final class ProviderTokens implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ProviderTokens.class);

  /** How far the provider's clock may be off. */
  private static final int SKEW_SECONDS = 30;

  /** Tokens that are being checked at once. */
  private static final int MAX_WAITING = 64;

  private static final int MAX_REMEMBERED = 4_096;

  /** A key that the provider takes back is used for so long at most, and while keys are kept. */
  private static final Duration REMEMBERED = Duration.ofMinutes(1);

  private static final Set<JOSEObjectType> TYPES =
      Set.of(
          JOSEObjectType.JWT,
          new JOSEObjectType("at+jwt"),
          new JOSEObjectType("application/at+jwt"));

  private static final Refused NOT_TAKEN =
      new Refused(
          Reason.UNKNOWN,
          "the token is not valid: log in, or get one from the identity provider for this server");

  private static final Refused EXPIRED =
      new Refused(
          Reason.UNKNOWN, "the token has expired: get a new one from the identity provider");

  private static final Refused UNAVAILABLE =
      new Refused(
          Reason.UNAVAILABLE,
          "the identity provider's keys cannot be fetched at this moment: try again in a few"
              + " seconds");

  private static final Refused BUSY =
      new Refused(
          Reason.TOO_MANY,
          "too many tokens are being checked at this moment: try again in a few seconds");

  private record Right(Known known, Instant until) {}

  private final ProviderClaims claims;
  private final ProviderKeys keys;
  private final InstantSource clock;
  private final DefaultJWTClaimsVerifier<SecurityContext> rules;
  private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
  private final Semaphore waiting = new Semaphore(MAX_WAITING);
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("provider-token-", 0).factory());

  /** By the token's hash; guarded by itself. */
  private final LinkedHashMap<ByteBuffer, Right> remembered =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Right> eldest) {
          return size() > MAX_REMEMBERED;
        }
      };

  ProviderTokens(ProviderSettings settings, ProviderKeys.Timing timing, InstantSource clock) {
    this.claims = new ProviderClaims(settings);
    this.keys = new ProviderKeys(settings.keys(), timing);
    this.clock = clock;
    this.rules =
        new DefaultJWTClaimsVerifier<>(
            settings.audience(),
            new JWTClaimsSet.Builder().issuer(settings.issuer()).build(),
            Set.of("exp")) {
          @Override
          protected Date currentTime() {
            return Date.from(clock.instant());
          }
        };
    rules.setMaxClockSkew(SKEW_SECONDS);
    processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(types()));
    processor.setJWSKeySelector(
        new JWSVerificationKeySelector<>(ProviderKeys.ALGORITHMS, keys.source()));
    processor.setJWTClaimsSetVerifier(rules);
  }

  /** Also none: many providers write none. */
  private static Set<@Nullable JOSEObjectType> types() {
    var types = new HashSet<@Nullable JOSEObjectType>(TYPES);
    types.add(null);
    return types;
  }

  /** Who a token is of. The answer is there at once where that takes no key. */
  CompletableFuture<Verdict> check(String text) {
    ByteBuffer hash = hash(text);
    Instant now = clock.instant();
    synchronized (remembered) {
      Right right = remembered.get(hash);
      if (right != null && now.isBefore(right.until)) {
        return CompletableFuture.completedFuture(right.known);
      }
    }
    SignedJWT token;
    try {
      token = SignedJWT.parse(text);
      // What is refused anyway must not have keys fetched.
      if (!ProviderKeys.ALGORITHMS.contains(token.getHeader().getAlgorithm())
          || !TokenForm.isCanonical(token.getSignature())) {
        return CompletableFuture.completedFuture(NOT_TAKEN);
      }
      rules.verify(token.getJWTClaimsSet(), null);
    } catch (ExpiredJWTException e) {
      return CompletableFuture.completedFuture(EXPIRED);
    } catch (ParseException | BadJWTException | IllegalArgumentException e) {
      return CompletableFuture.completedFuture(NOT_TAKEN);
    }
    if (!waiting.tryAcquire()) {
      return CompletableFuture.completedFuture(BUSY);
    }
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return verified(token, hash);
          } finally {
            waiting.release();
          }
        },
        threads);
  }

  private Verdict verified(SignedJWT token, ByteBuffer hash) {
    JWTClaimsSet verified;
    try {
      verified = processor.process(token, null);
    } catch (RateLimitReachedException e) {
      // It names a key that is not among those there are, or there are none yet.
      return keys.wereFetched() ? NOT_TAKEN : UNAVAILABLE;
    } catch (BadJOSEException e) {
      return NOT_TAKEN;
    } catch (JOSEException e) {
      LOG.debug("a token cannot be checked", e);
      return UNAVAILABLE;
    }
    Verdict verdict = claims.verdict(verified.getClaims());
    if (verdict instanceof Known known) {
      Instant until = clock.instant().plus(REMEMBERED);
      Instant ends = verified.getExpirationTime().toInstant().plusSeconds(SKEW_SECONDS);
      synchronized (remembered) {
        remembered.put(hash, new Right(known, ends.isBefore(until) ? ends : until));
      }
    }
    return verdict;
  }

  private static ByteBuffer hash(String text) {
    try {
      return ByteBuffer.wrap(
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
    keys.close();
  }
}
