package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.query.Users;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
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
import org.jspecify.annotations.Nullable;

/**
 * Asks each call who it comes from, before anything else looks at it. Drivers that were given a
 * user and a password send them with the handshake, and with every further call the token that it
 * answers; others send the password each time. Only the health service answers anyone.
 */
final class Door implements ServerInterceptor {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private static final Context.Key<String> USER = Context.key("user");
  private static final String BASIC = "basic ";
  private static final String BEARER = "bearer ";

  private final Users users;
  private final Tokens tokens;

  Door(Users users, Tokens tokens) {
    this.users = users;
    this.tokens = tokens;
  }

  /** Who the call comes from that the current thread handles. */
  static String user() {
    return USER.get();
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (HealthGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
      return next.startCall(call, headers);
    }
    Optional<String> user = user(headers.get(AUTHORIZATION));
    if (user.isEmpty()) {
      call.close(
          Status.UNAUTHENTICATED.withDescription(
              "no user with this password, or the token is not valid any more: connect again with"
                  + " user and password"),
          new Metadata());
      return new ServerCall.Listener<>() {};
    }
    boolean isHandshake = "Handshake".equals(call.getMethodDescriptor().getBareMethodName());
    return Contexts.interceptCall(
        Context.current().withValue(USER, user.get()),
        isHandshake ? answering(call, user.get()) : call,
        headers,
        next);
  }

  private <Q, A> ServerCall<Q, A> answering(ServerCall<Q, A> call, String user) {
    return new SimpleForwardingServerCall<>(call) {
      @Override
      public void sendHeaders(Metadata answered) {
        answered.put(AUTHORIZATION, "Bearer " + tokens.issue(user));
        super.sendHeaders(answered);
      }
    };
  }

  private Optional<String> user(@Nullable String authorization) {
    if (!users.areAsked()) {
      return Optional.of(Users.ANYONE);
    }
    if (authorization == null) {
      return Optional.empty();
    }
    String scheme = authorization.toLowerCase(Locale.ROOT);
    if (scheme.startsWith(BEARER)) {
      return tokens.user(authorization.substring(BEARER.length()).strip());
    }
    return scheme.startsWith(BASIC)
        ? known(authorization.substring(BASIC.length()).strip())
        : Optional.empty();
  }

  /**
   * @param encoded {@code user:password} in base64; ADBC leaves the padding out
   */
  private Optional<String> known(String encoded) {
    String text;
    try {
      text = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
    int colon = text.indexOf(':');
    return colon < 0
        ? Optional.empty()
        : users.check(text.substring(0, colon), text.substring(colon + 1));
  }
}
