package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.auth.Logins;
import com.lokryn.ducklake.auth.Users;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks each call who it comes from, before anything else looks at it. Drivers that were given a
 * user and a password send them with the handshake, and with every further call the token that it
 * answers; others send the password each time. Only the health service answers anyone. A call whose
 * password has to be hashed first begins later, on another thread than the event loop.
 */
final class Door implements ServerInterceptor {
  private static final Logger LOG = LoggerFactory.getLogger(Door.class);

  static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private static final Context.Key<Caller> CALLER = Context.key("caller");
  private static final String BASIC = "basic ";
  private static final String BEARER = "bearer ";

  /**
   * Whom a call comes from.
   *
   * @param session that their token was given with
   */
  private record Caller(Identity identity, Optional<String> session) {
    static Caller of(Identity identity) {
      return new Caller(identity, Optional.empty());
    }
  }

  private static final CompletableFuture<Optional<Caller>> ANYONE =
      CompletableFuture.completedFuture(Optional.of(Caller.of(Users.ANYONE)));

  private static final CompletableFuture<Optional<Caller>> NOBODY =
      CompletableFuture.completedFuture(Optional.empty());

  private final Logins logins;
  private final Tokens tokens;

  Door(Logins logins, Tokens tokens) {
    this.logins = logins;
    this.tokens = tokens;
  }

  /** Who the call comes from that the current thread handles. */
  static Identity identity() {
    return CALLER.get().identity;
  }

  /** The session that its token names, if it came with one. */
  static Optional<String> session() {
    return CALLER.get().session;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (HealthGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
      return next.startCall(call, headers);
    }
    CompletableFuture<Optional<Caller>> caller = caller(headers.get(AUTHORIZATION));
    if (caller.isDone()) {
      return begin(caller, call, headers, next);
    }
    var later = new LateListener<Q>();
    Context context = Context.current();
    var _ =
        caller.whenComplete(
            (_, _) ->
                context.run(
                    () ->
                        later.begin(
                            () ->
                                call.isCancelled()
                                    ? nothing()
                                    : begin(caller, call, headers, next))));
    return later;
  }

  /**
   * Begins a call, or refuses it.
   *
   * @param asked who it comes from; done
   */
  private <Q, A> ServerCall.Listener<Q> begin(
      CompletableFuture<Optional<Caller>> asked,
      ServerCall<Q, A> call,
      Metadata headers,
      ServerCallHandler<Q, A> next) {
    if (asked.isCompletedExceptionally()) {
      return refused(call, failure(asked.exceptionNow()));
    }
    Optional<Caller> caller = asked.join();
    if (caller.isEmpty()) {
      return refused(
          call,
          Status.UNAUTHENTICATED.withDescription(
              "no user with this password, or the token is not valid any more: connect again with"
                  + " user and password"));
    }
    return Contexts.interceptCall(
        Context.current().withValue(CALLER, caller.get()), call, headers, next);
  }

  private static Status failure(Throwable thrown) {
    if (thrown instanceof RejectedExecutionException) {
      return Status.RESOURCE_EXHAUSTED.withDescription(
          "too many clients are logging in at this moment: try again in a few seconds");
    }
    LOG.atError().setCause(thrown).log("a password cannot be checked");
    return Status.INTERNAL.withDescription("the login failed: the server's log says why");
  }

  private static <Q> ServerCall.Listener<Q> refused(ServerCall<Q, ?> call, Status status) {
    call.close(status, new Metadata());
    return nothing();
  }

  private static <Q> ServerCall.Listener<Q> nothing() {
    return new ServerCall.Listener<>() {};
  }

  private CompletableFuture<Optional<Caller>> caller(@Nullable String authorization) {
    if (!logins.areAsked()) {
      return ANYONE;
    }
    if (authorization == null) {
      return NOBODY;
    }
    String scheme = authorization.toLowerCase(Locale.ROOT);
    if (scheme.startsWith(BEARER)) {
      return CompletableFuture.completedFuture(
          tokens
              .read(authorization.substring(BEARER.length()).strip())
              .flatMap(
                  token ->
                      logins
                          .identity(token.user())
                          .map(known -> new Caller(known, Optional.of(token.session())))));
    }
    return scheme.startsWith(BASIC)
        ? known(authorization.substring(BASIC.length()).strip())
        : NOBODY;
  }

  /**
   * @param encoded {@code user:password} in base64; ADBC leaves the padding out
   */
  private CompletableFuture<Optional<Caller>> known(String encoded) {
    String text;
    try {
      text = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return NOBODY;
    }
    int colon = text.indexOf(':');
    return colon < 0
        ? NOBODY
        : logins
            .check(text.substring(0, colon), text.substring(colon + 1))
            .thenApply(found -> found.map(Caller::of));
  }
}
