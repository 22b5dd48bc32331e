package com.lokryn.ducklake.flight;

import io.grpc.Metadata;
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

  /**
   * @param user whose it is
   * @param session that was begun with it
   */
  record Token(String user, String session, Instant until) {}

  private final Map<String, Token> tokens = new ConcurrentHashMap<>();
  private final SecureRandom random = new SecureRandom();
  private final InstantSource clock;

  Tokens(InstantSource clock) {
    this.clock = clock;
  }

  /** Puts a new one into the headers of an answer. */
  void answer(Metadata headers, String user, String session) {
    headers.put(Door.AUTHORIZATION, "Bearer " + issue(user, session));
  }

  private String issue(String user, String session) {
    byte[] bytes = new byte[BYTES];
    random.nextBytes(bytes);
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    tokens.put(token, new Token(user, session, clock.instant().plus(IDLE)));
    return token;
  }

  /** What a token says; it is good for another hour then. */
  Optional<Token> read(String token) {
    Instant now = clock.instant();
    Token kept =
        tokens.computeIfPresent(
            token,
            (_, old) ->
                old.until.isBefore(now) ? null : new Token(old.user, old.session, now.plus(IDLE)));
    return Optional.ofNullable(kept);
  }

  /** Forgets those that are over. */
  void sweep() {
    Instant now = clock.instant();
    tokens.values().removeIf(token -> token.until.isBefore(now));
  }
}
