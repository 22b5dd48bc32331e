package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.auth.Authenticator;
import com.lokryn.ducklake.auth.Evidence;
import com.lokryn.ducklake.auth.SessionTokens.Token;
import com.lokryn.ducklake.auth.Verdict;
import com.lokryn.ducklake.observe.Counts;
import com.lokryn.ducklake.observe.Limit;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks each call who it comes from, before anything else looks at it. Drivers that were given a
 * user and a password send them with the handshake, and with every further call the token that it
 * answers; others send the password each time. Only the health service answers anyone. A call that
 * takes longer to be known begins later, on another thread than the event loop.
 */
final class Door implements ServerInterceptor {
  private static final Logger LOG = LoggerFactory.getLogger(Door.class);

  static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private static final Context.Key<Verdict.Known> CALLER = Context.key("caller");

  private final Authenticator authenticator;
  private final Counts<Limit> refusals;

  Door(Authenticator authenticator, Counts<Limit> refusals) {
    this.refusals = refusals;
    this.authenticator = authenticator;
  }

  /** Who the call comes from that the current thread handles. */
  static Identity identity() {
    return CALLER.get().identity();
  }

  /** The token that it came with, of those that a login is answered with. */
  static Optional<Token> token() {
    return CALLER.get().token();
  }

  /** Whether it came with a password. */
  static boolean isByPassword() {
    return CALLER.get().byPassword();
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (HealthGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
      return next.startCall(call, headers);
    }
    CompletableFuture<Verdict> asked =
        authenticator.ask(
            new Evidence(headers.get(AUTHORIZATION), address(call), certificate(call)));
    if (asked.isDone()) {
      return begin(asked, call, headers, next);
    }
    var later = new LateListener<Q>();
    Context context = Context.current();
    var _ =
        asked.whenComplete(
            (_, _) ->
                context.run(
                    () ->
                        later.begin(
                            () ->
                                call.isCancelled()
                                    ? nothing()
                                    : begin(asked, call, headers, next))));
    return later;
  }

  private static @Nullable InetAddress address(ServerCall<?, ?> call) {
    return call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) instanceof InetSocketAddress at
        ? at.getAddress()
        : null;
  }

  /** The first of its chain, which the handshake has verified. */
  private static Optional<X509Certificate> certificate(ServerCall<?, ?> call) {
    SSLSession session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
    if (session == null) {
      return Optional.empty();
    }
    try {
      Certificate[] chain = session.getPeerCertificates();
      return chain.length > 0 && chain[0] instanceof X509Certificate own
          ? Optional.of(own)
          : Optional.empty();
    } catch (SSLPeerUnverifiedException e) {
      return Optional.empty();
    }
  }

  /**
   * Begins a call, or refuses it.
   *
   * @param asked who it comes from; done
   */
  private <Q, A> ServerCall.Listener<Q> begin(
      CompletableFuture<Verdict> asked,
      ServerCall<Q, A> call,
      Metadata headers,
      ServerCallHandler<Q, A> next) {
    if (asked.isCompletedExceptionally()) {
      LOG.atError().setCause(asked.exceptionNow()).log("it cannot be told who a call comes from");
      return refused(
          call, Status.INTERNAL.withDescription("the login failed: the server's log says why"));
    }
    return switch (asked.join()) {
      case Verdict.Known known ->
          Contexts.interceptCall(Context.current().withValue(CALLER, known), call, headers, next);
      case Verdict.Refused(var reason, var text) -> {
        if (reason == Verdict.Reason.TOO_MANY) {
          refusals.add(Limit.LOGINS);
        }
        yield refused(call, status(reason).withDescription(text));
      }
    };
  }

  private static Status status(Verdict.Reason reason) {
    return switch (reason) {
      case UNKNOWN -> Status.UNAUTHENTICATED;
      case FORBIDDEN -> Status.PERMISSION_DENIED;
      case TOO_MANY -> Status.RESOURCE_EXHAUSTED;
      case UNAVAILABLE -> Status.UNAVAILABLE;
    };
  }

  private static <Q> ServerCall.Listener<Q> refused(ServerCall<Q, ?> call, Status status) {
    call.close(status, new Metadata());
    return nothing();
  }

  private static <Q> ServerCall.Listener<Q> nothing() {
    return new ServerCall.Listener<>() {};
  }
}
