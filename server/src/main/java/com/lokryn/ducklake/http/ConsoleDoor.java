package com.lokryn.ducklake.http;

import com.sun.net.httpserver.Headers;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Tells which requests the console answers at all, before anybody is asked for a password.
 *
 * @param fromAnywhere whether other machines may ask. The port speaks no TLS: a password that comes
 *     from another machine was in clear on the network, unless something in front of the server
 *     speaks TLS for it
 */
record ConsoleDoor(boolean fromAnywhere) {
  /** Scripts of other sites cannot send it without asking, and nobody answers them. */
  static final String OWN_HEADER = "X-Console";

  private static final List<String> PROXY_HEADERS = List.of("Forwarded", "X-Forwarded-For");

  /**
   * Why a request is refused, if it is.
   *
   * @param areUsersAsked where nobody is, a page of another site must not get in by having its own
   *     name lead to this machine (DNS rebinding): then names other than localhost are refused
   */
  Optional<String> refusal(Headers headers, @Nullable InetAddress from, boolean areUsersAsked) {
    if (!fromAnywhere) {
      if (from == null || !from.isLoopbackAddress() || isForwarded(headers)) {
        return Optional.of(
            "the console answers requests from its own machine only, as this port speaks no TLS: come"
                + " through a tunnel (ssh -L, kubectl port-forward), or see http_console");
      }
      if (!isLoopback(host(headers))) {
        return Optional.of("ask for the console as localhost or 127.0.0.1, or see http_console");
      }
    }
    return areUsersAsked || isAddress(host(headers))
        ? Optional.empty()
        : Optional.of(
            "ask for the console by an address, not a name: nobody is asked who they are");
  }

  /** True for a request that changes something and was made by the console's own page. */
  static boolean isOwn(Headers headers) {
    String site = headers.getFirst("Sec-Fetch-Site");
    String origin = headers.getFirst("Origin");
    return headers.getFirst(OWN_HEADER) != null
        && (site == null || site.equals("same-origin"))
        && (origin == null || isOrigin(origin, headers.getFirst("Host")));
  }

  private static boolean isOrigin(String origin, @Nullable String host) {
    try {
      return host != null && host.equalsIgnoreCase(URI.create(origin).getRawAuthority());
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static boolean isForwarded(Headers headers) {
    return PROXY_HEADERS.stream().anyMatch(headers::containsKey);
  }

  /** The host that was asked for, without its port. */
  private static String host(Headers headers) {
    String host = headers.getFirst("Host");
    if (host == null) {
      return "";
    }
    int end = host.startsWith("[") ? host.indexOf(']') + 1 : host.indexOf(':');
    return (end <= 0 ? host : host.substring(0, end)).toLowerCase(Locale.ROOT);
  }

  private static boolean isLoopback(String host) {
    return address(host).map(InetAddress::isLoopbackAddress).orElse(host.equals("localhost"));
  }

  private static boolean isAddress(String host) {
    return host.equals("localhost") || address(host).isPresent();
  }

  /** Looks up no name. */
  private static Optional<InetAddress> address(String host) {
    boolean isLiteral = host.startsWith("[") || host.matches("\\d{1,3}(\\.\\d{1,3}){3}");
    try {
      return isLiteral ? Optional.of(InetAddress.getByName(host)) : Optional.empty();
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
  }
}
