package com.lokryn.ducklake.client;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.netty.handler.ssl.NotSslRecordException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import javax.net.ssl.SSLException;
import org.apache.arrow.flight.FlightRuntimeException;
import org.apache.arrow.flight.FlightStatusCode;

/** What the server refused, with its own text, or why it cannot be reached. */
public final class ServerException extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean unreachable;

  private ServerException(String text, boolean unreachable, Throwable cause) {
    super(text, cause);
    this.unreachable = unreachable;
  }

  /** Makes one of what a call threw, which is Flight's exception or gRPC's. */
  static ServerException of(RuntimeException thrown, ServerUrl url) {
    if (!isUnavailable(thrown)) {
      return new ServerException(text(thrown), false, thrown);
    }
    return new ServerException(reason(thrown, url), true, thrown);
  }

  /** True when there was no server to take the request, rather than one that refused it. */
  public boolean isUnreachable() {
    return unreachable;
  }

  private static boolean isUnavailable(RuntimeException thrown) {
    return switch (thrown) {
      case FlightRuntimeException e -> e.status().code() == FlightStatusCode.UNAVAILABLE;
      case StatusRuntimeException e -> e.getStatus().getCode() == Status.Code.UNAVAILABLE;
      default -> false;
    };
  }

  /** A server that is going away says so itself; otherwise the transport's exception is there. */
  private static String reason(RuntimeException thrown, ServerUrl url) {
    Throwable root = thrown;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return switch (root) {
      case UnknownHostException _, UnresolvedAddressException _ ->
          "no server at %s: the name of the host is not known".formatted(url);
      case ConnectException _ ->
          "no server answers at %s: start one with 'ducklake-flight serve --local'".formatted(url);
      case NotSslRecordException _ ->
          "the server at %s does not speak TLS: use %s".formatted(url, url.other());
      case CertificateExpiredException _ ->
          "the certificate of the server at %s has expired".formatted(url);
      case CertPathBuilderException _ ->
          "the certificate of the server at %s is of no authority that is trusted here: name the"
                  .formatted(url)
              + " file of its authority with --tls-ca";
      case CertificateException _ ->
          "the certificate of the server at %s is not taken: %s".formatted(url, firstLine(root));
      case SSLException e when isForWantOfCertificate(e) ->
          "the server at %s asks its clients for a certificate: give one of an authority that it"
                  .formatted(url)
              + " trusts, with --tls-cert and --tls-key";
      case SSLException _, GeneralSecurityException _ ->
          "no TLS connection to %s: %s".formatted(url, firstLine(root));
      case FlightRuntimeException _, StatusRuntimeException _ -> withoutCause(root, url);
      default -> "the connection to %s failed: %s".formatted(url, firstLine(root));
    };
  }

  private static boolean isForWantOfCertificate(Throwable thrown) {
    String text = String.valueOf(thrown.getMessage());
    return text.contains("bad_certificate")
        || text.contains("certificate_required")
        || text.contains("certificate_unknown");
  }

  private static String withoutCause(Throwable thrown, ServerUrl url) {
    String text = text(thrown);
    // gRPC has nothing better to say of a peer that hangs up at the first bytes.
    return text.contains("Network closed for unknown reason")
        ? "the server at %s closed the connection: if it speaks %s, use %s"
            .formatted(url, url.tls() ? "no TLS" : "TLS", url.other())
        : text;
  }

  private static String text(Throwable thrown) {
    String text =
        thrown instanceof StatusRuntimeException e
            ? e.getStatus().getDescription()
            : thrown.getMessage();
    return text == null || text.isBlank() ? "the server refused: " + thrown : text.stripTrailing();
  }

  private static String firstLine(Throwable thrown) {
    return String.valueOf(thrown.getMessage()).lines().findFirst().orElse("");
  }
}
