package com.lokryn.ducklake.flight;

import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The tokens of those who have shown who they are, good while they are used. Thread-safe. */
final class Tokens {
  private static final Duration IDLE = Duration.ofHours(1);
  private static final int BYTES = 32;

  private record Token(String user, Instant until) {}

  private final Map<String, Token> tokens = new ConcurrentHashMap<>();
  private final SecureRandom random = new SecureRandom();
  private final InstantSource clock;

  Tokens(InstantSource clock) {
    this.clock = clock;
  }

  String issue(String user) {
    byte[] bytes = new byte[BYTES];
    random.nextBytes(bytes);
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    tokens.put(token, new Token(user, clock.instant().plus(IDLE)));
    return token;
  }

  /** Whose token it is; it is good for another hour then. */
  Optional<String> user(String token) {
    Instant now = clock.instant();
    Token kept =
        tokens.computeIfPresent(
            token,
            (_, old) -> old.until.isBefore(now) ? null : new Token(old.user, now.plus(IDLE)));
    return Optional.ofNullable(kept).map(Token::user);
  }

  /** Forgets those that are over. */
  void sweep() {
    Instant now = clock.instant();
    tokens.values().removeIf(token -> token.until.isBefore(now));
  }
}
