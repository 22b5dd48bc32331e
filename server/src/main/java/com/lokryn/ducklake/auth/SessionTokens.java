package com.lokryn.ducklake.auth;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import org.jspecify.annotations.Nullable;

/**
 * The tokens that a login is answered with. They are signed and nothing is kept of them, so that
 * each server with the same secret takes them. They say who it is, not what they may do: that is
 * looked up with each call. Thread-safe.
 */
public final class SessionTokens {
  /** How far the clocks of servers that share a secret may be apart. */
  private static final Duration SKEW = Duration.ofSeconds(30);

  private static final int SECRET_BYTES = 32;

  /**
   * What a token says.
   *
   * @param user whose it is
   * @param session that was begun with it
   * @param issued when it was made
   * @param until when it ends
   */
  public record Token(String user, String session, Instant issued, Instant until) {}

  /** What comes of reading a text as a token. */
  sealed interface Reading {}

  /** It is one, and good now. */
  record Good(Token token) implements Reading {}

  /** It was one. */
  record Expired() implements Reading {}

  /** It is none that a server with this secret has made. */
  record Foreign() implements Reading {}

  private final byte[] secret;
  private final Duration lifetime;
  private final InstantSource clock;

  /**
   * Made when the first token is: a server that asks nobody needs none of the library's classes,
   * and no other needs them, or Java's providers of cryptography, before it listens.
   */
  private volatile @Nullable TokenForm form;

  /**
   * @param secret shared by all servers that take each other's tokens; none: only this one's are
   *     taken
   * @param lifetime of a token; whole seconds of it count
   */
  public SessionTokens(Optional<byte[]> secret, Duration lifetime, InstantSource clock) {
    this.secret = secret.orElseGet(SessionTokens::random);
    this.lifetime = lifetime;
    this.clock = clock;
  }

  private static byte[] random() {
    byte[] bytes = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(bytes);
    return bytes;
  }

  /** A key for this purpose alone: the same secret signs handles as well. */
  private static SecretKey key(byte[] secret) {
    try {
      return KDF.getInstance("HKDF-SHA256")
          .deriveKey(
              "HmacSHA256",
              HKDFParameterSpec.ofExtract()
                  .addIKM(secret)
                  .thenExpand(
                      "ducklake-flight session token".getBytes(StandardCharsets.US_ASCII),
                      SECRET_BYTES));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("JDK 25 has HKDF", e);
    }
  }

  /** Makes a token. */
  public String issue(String user, String session) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    return form().write(new Token(user, session, now, now.plus(lifetime)));
  }

  /** Is more than half of its life over, so that its client had better get a new one? */
  public boolean isAging(Token token) {
    Duration half = Duration.between(token.issued, token.until).dividedBy(2);
    return clock.instant().isAfter(token.issued.plus(half));
  }

  Reading read(String text) {
    Optional<Token> read = form().read(text);
    if (read.isEmpty()) {
      return new Foreign();
    }
    Token token = read.get();
    Instant now = clock.instant();
    if (now.isBefore(token.issued.minus(SKEW))) {
      return new Foreign();
    }
    return now.isBefore(token.until) ? new Good(token) : new Expired();
  }

  private TokenForm form() {
    TokenForm made = form;
    if (made == null) {
      made = new TokenForm(key(secret));
      form = made;
    }
    return made;
  }
}
