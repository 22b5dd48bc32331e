package com.lokryn.ducklake.flight;

import com.google.protobuf.ByteString;
import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.auth.SessionTokens;
import com.lokryn.ducklake.auth.SessionTokens.Token;
import com.lokryn.ducklake.flight.Handles.Kind;
import com.lokryn.ducklake.query.QueryException;
import com.lokryn.ducklake.query.Session;
import com.lokryn.ducklake.query.Sessions;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.health.v1.HealthGrpc;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds the session of each call, once it is known whose it is: by its cookie, as the <a
 * href="https://arrow.apache.org/docs/format/Flight.html#session-management">specification of
 * Flight</a> has it, else by the token of its login, else by its connection. Clients that keep
 * cookies need nothing else to come back to their session; one that has anything says so in its
 * cookie, so that a server which does not have it can tell.
 */
final class SessionDoor implements ServerInterceptor {
  /** The name that the clients of Arrow know. */
  static final String COOKIE = "arrow_flight_session_id";

  private static final Metadata.Key<String> COOKIES =
      Metadata.Key.of("cookie", Metadata.ASCII_STRING_MARSHALLER);

  private static final Metadata.Key<String> SET_COOKIE =
      Metadata.Key.of("set-cookie", Metadata.ASCII_STRING_MARSHALLER);

  private static final Context.Key<Session> SESSION = Context.key("session");

  private final Sessions sessions;
  private final Handles handles;
  private final SessionTokens tokens;
  private final FlightErrors errors;

  /**
   * @param id of the session
   * @param isStateful true when the session had anything when the cookie was made
   */
  private record Cookie(String id, boolean isStateful) {}

  SessionDoor(Sessions sessions, Handles handles, SessionTokens tokens, FlightErrors errors) {
    this.sessions = sessions;
    this.handles = handles;
    this.tokens = tokens;
    this.errors = errors;
  }

  /** The session of the call that the current thread handles. */
  static Session session() {
    return SESSION.get();
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (HealthGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
      return next.startCall(call, headers);
    }
    Identity identity = Door.identity();
    Optional<Cookie> cookie = cookie(headers, identity.name());
    Session session;
    try {
      session = session(Connections.of(call), identity, cookie);
    } catch (QueryException e) {
      return refused(call, e);
    }
    return Contexts.interceptCall(
        Context.current().withValue(SESSION, session),
        new Answering<>(call, session, cookie.orElse(null), getsToken(call)),
        headers,
        next);
  }

  /**
   * A login is answered with a token, and so is a call whose token will not last long: ADBC takes
   * up what comes with any answer, other drivers keep the one of their login.
   */
  private boolean getsToken(ServerCall<?, ?> call) {
    boolean isHandshake = "Handshake".equals(call.getMethodDescriptor().getBareMethodName());
    Optional<Token> own = Door.token();
    return own.isPresent()
        ? isHandshake || tokens.isAging(own.get())
        : isHandshake && Door.isByPassword();
  }

  private Session session(String connection, Identity identity, Optional<Cookie> cookie) {
    if (cookie.isPresent()) {
      Optional<Session> found = sessions.find(cookie.get().id, connection, identity);
      if (found.isPresent()) {
        return found.get();
      }
      if (cookie.get().isStateful) {
        throw Sessions.ended();
      }
    }
    Optional<String> named = Door.token().map(Token::session);
    return named.isPresent()
        ? sessions.named(named.get(), connection, identity)
        : sessions.of(connection, identity);
  }

  /** What a client keeps of an earlier answer; one that was not made for this user is none. */
  private Optional<Cookie> cookie(Metadata headers, String user) {
    Iterable<String> all = headers.getAll(COOKIES);
    if (all == null) {
      return Optional.empty();
    }
    for (String header : all) {
      for (String pair : header.split(";", -1)) {
        int equals = pair.indexOf('=');
        if (equals > 0 && pair.substring(0, equals).strip().equals(COOKIE)) {
          return read(pair.substring(equals + 1).strip(), user);
        }
      }
    }
    return Optional.empty();
  }

  private Optional<Cookie> read(String text, String user) {
    // Some libraries quote what they send back.
    String value = text.startsWith("\"") ? text.replace("\"", "") : text;
    try {
      ByteString bytes = ByteString.copyFrom(Base64.getUrlDecoder().decode(value));
      boolean isStateful = handles.isOf(Kind.SESSION_WITH_STATE, bytes);
      Kind kind = isStateful ? Kind.SESSION_WITH_STATE : Kind.SESSION;
      return Optional.of(new Cookie(handles.read(kind, bytes, user).id(), isStateful));
    } catch (IllegalArgumentException | QueryException e) {
      return Optional.empty();
    }
  }

  /** Refuses a call whose session is not there, and has the client forget it. */
  private <Q> ServerCall.Listener<Q> refused(ServerCall<Q, ?> call, QueryException reason) {
    var answered = new Metadata();
    answered.put(SET_COOKIE, COOKIE + "=; Max-Age=0");
    call.sendHeaders(answered);
    call.close(errors.status(reason).getStatus(), new Metadata());
    return new ServerCall.Listener<>() {};
  }

  /** Tells the client what to come back with, where that is news to it. */
  private final class Answering<Q, A> extends SimpleForwardingServerCall<Q, A> {
    private final Session session;
    private final @Nullable Cookie cookie;
    private final boolean getsToken;

    Answering(ServerCall<Q, A> call, Session session, @Nullable Cookie cookie, boolean getsToken) {
      super(call);
      this.session = session;
      this.cookie = cookie;
      this.getsToken = getsToken;
    }

    @Override
    public void sendHeaders(Metadata answered) {
      if (getsToken) {
        answered.put(Door.AUTHORIZATION, "Bearer " + tokens.issue(session.user(), session.id()));
      }
      if (session.isClosed()) {
        answered.put(SET_COOKIE, COOKIE + "=; Max-Age=0");
      } else {
        boolean isStateful = session.hasAnything();
        if (session.announce(isStateful) || isNews(isStateful)) {
          answered.put(SET_COOKIE, COOKIE + "=" + value(isStateful));
        }
      }
      super.sendHeaders(answered);
    }

    /** Clients that keep no cookies are not told again and again. */
    private boolean isNews(boolean isStateful) {
      return cookie != null && (!cookie.id.equals(session.id()) || cookie.isStateful != isStateful);
    }

    private String value(boolean isStateful) {
      Kind kind = isStateful ? Kind.SESSION_WITH_STATE : Kind.SESSION;
      byte[] handle =
          handles.write(kind, session.id(), session.user(), Optional.empty()).toByteArray();
      return Base64.getUrlEncoder().withoutPadding().encodeToString(handle);
    }
  }
}
