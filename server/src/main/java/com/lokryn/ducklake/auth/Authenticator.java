package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.auth.Logins.ThrottledException;
import com.lokryn.ducklake.auth.Verdict.Known;
import com.lokryn.ducklake.auth.Verdict.Reason;
import com.lokryn.ducklake.auth.Verdict.Refused;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.Settings.ClientIdentity;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Tells who a call comes from: by the password or the token that it carries, else by the
 * certificate of its connection. A password or token that is not right is not made good by a
 * certificate. Thread-safe.
 */
public final class Authenticator implements AutoCloseable {
  private static final String BASIC = "basic ";
  private static final String BEARER = "bearer ";

  /** Drivers that were given a password want a token for it, also where nobody is asked. */
  private static final Verdict ANYONE = new Known(Users.ANYONE, Optional.empty(), true);

  /** The same for all that is wrong, or names could be told from each other. */
  private static final Refused NOBODY =
      new Refused(
          Reason.UNKNOWN,
          "no user with this password, or the token is not valid any more: connect again with user"
              + " and password");

  private static final Refused EXPIRED =
      new Refused(Reason.UNKNOWN, "the session token has expired: log in again");

  private final Users users;
  private final Logins logins;
  private final SessionTokens tokens;

  /** No lambda of this type: to make one would load the library's classes at each start. */
  private final @Nullable ProviderTokens provider;

  private final boolean certificatesNameUsers;

  Authenticator(
      Users users,
      SessionTokens tokens,
      @Nullable ProviderTokens provider,
      boolean certificatesNameUsers,
      InstantSource clock) {
    this.users = users;
    this.logins = new Logins(users, clock);
    this.tokens = tokens;
    this.provider = provider;
    this.certificatesNameUsers = certificatesNameUsers;
  }

  /** As the settings say. */
  public static Authenticator of(ServerConfig config, Users users, InstantSource clock) {
    Optional<byte[]> secret =
        config
            .find(Settings.FLIGHT_TOKEN_SECRET)
            .map(text -> text.reveal().getBytes(StandardCharsets.UTF_8));
    Optional<ProviderSettings> found = ProviderSettings.of(config);
    return new Authenticator(
        users,
        new SessionTokens(secret, config.get(Settings.FLIGHT_TOKEN_TTL), clock),
        found.isPresent() && users.areAsked()
            ? new ProviderTokens(found.get(), ProviderKeys.Timing.USUAL, clock)
            : null,
        config.get(Settings.FLIGHT_TLS_CLIENT_IDENTITY) == ClientIdentity.SUBJECT,
        clock);
  }

  /** The tokens that logins are answered with. */
  public SessionTokens tokens() {
    return tokens;
  }

  /**
   * Asks who a call comes from. The answer is there at once where it takes neither a hash of a
   * password nor a key of an identity provider; it never fails with an exception that says who or
   * why.
   */
  public CompletableFuture<Verdict> ask(Evidence evidence) {
    if (!users.areAsked()) {
      return CompletableFuture.completedFuture(ANYONE);
    }
    String authorization = evidence.authorization();
    if (authorization == null) {
      return CompletableFuture.completedFuture(certified(evidence));
    }
    String scheme = authorization.toLowerCase(Locale.ROOT);
    if (scheme.startsWith(BEARER)) {
      return bearer(authorization.substring(BEARER.length()).strip());
    }
    return scheme.startsWith(BASIC)
        ? basic(authorization.substring(BASIC.length()).strip(), evidence)
        : CompletableFuture.completedFuture(NOBODY);
  }

  private Verdict certified(Evidence evidence) {
    return evidence
        .certificate()
        .filter(_ -> certificatesNameUsers)
        .flatMap(Certificates::commonName)
        .flatMap(users::identity)
        .<Verdict>map(Known::each)
        .orElse(NOBODY);
  }

  private CompletableFuture<Verdict> bearer(String token) {
    return switch (tokens.read(token)) {
      case SessionTokens.Good(var good) ->
          CompletableFuture.completedFuture(
              users
                  .identity(good.user())
                  .<Verdict>map(identity -> new Known(identity, Optional.of(good), false))
                  .orElse(NOBODY));
      case SessionTokens.Expired() -> CompletableFuture.completedFuture(EXPIRED);
      case SessionTokens.Foreign() ->
          provider == null ? CompletableFuture.completedFuture(NOBODY) : provider.check(token);
    };
  }

  /**
   * @param encoded {@code user:password} in base64; ADBC leaves the padding out
   */
  private CompletableFuture<Verdict> basic(String encoded, Evidence evidence) {
    String text;
    try {
      text = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return CompletableFuture.completedFuture(NOBODY);
    }
    int colon = text.indexOf(':');
    if (colon < 0) {
      return CompletableFuture.completedFuture(NOBODY);
    }
    return logins
        .check(text.substring(0, colon), text.substring(colon + 1), evidence.address())
        .thenApply(Authenticator::byPassword)
        .exceptionally(Authenticator::tooMany);
  }

  private static Verdict byPassword(Optional<Identity> found) {
    return found
        .<Verdict>map(identity -> new Known(identity, Optional.empty(), true))
        .orElse(NOBODY);
  }

  private static Verdict tooMany(Throwable thrown) {
    Throwable cause =
        thrown instanceof CompletionException && thrown.getCause() != null
            ? thrown.getCause()
            : thrown;
    return switch (cause) {
      case ThrottledException e ->
          new Refused(
              Reason.TOO_MANY,
              "too many failed logins: try again in %d s".formatted(wholeSeconds(e.delay())));
      case RejectedExecutionException _ ->
          new Refused(
              Reason.TOO_MANY,
              "too many clients are logging in at this moment: try again in a few seconds");
      default -> throw new CompletionException(cause);
    };
  }

  private static long wholeSeconds(Duration wait) {
    return wait.plusMillis(999).toSeconds();
  }

  @Override
  public void close() {
    logins.close();
    if (provider != null) {
      provider.close();
    }
  }
}
