package com.lokryn.ducklake.client;

import java.net.URI;
import java.net.URISyntaxException;

/** Where a server listens: {@code grpc://host:port}, or {@code grpc+tls://} with TLS. */
public record ServerUrl(String host, int port, boolean tls) {
  public static final String DEFAULT = "grpc://127.0.0.1:31337";
  public static final int DEFAULT_PORT = 31_337;

  /** Reads a URL, or throws with a sentence that says what one looks like. */
  public static ServerUrl parse(String text) {
    try {
      URI uri = new URI(text);
      boolean tls =
          switch (String.valueOf(uri.getScheme())) {
            case "grpc", "grpc+tcp" -> false;
            case "grpc+tls" -> true;
            default -> throw new URISyntaxException(text, "scheme");
          };
      if (uri.getHost() == null) {
        throw new URISyntaxException(text, "host");
      }
      return new ServerUrl(uri.getHost(), uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort(), tls);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(
          "'%s' is no address of a server: it looks like %s or grpc+tls://host:port"
              .formatted(text, DEFAULT));
    }
  }

  /** The same place with TLS where this has none, and without where it has. */
  ServerUrl other() {
    return new ServerUrl(host, port, !tls);
  }

  @Override
  public String toString() {
    return (tls ? "grpc+tls://" : "grpc://") + host + ":" + port;
  }
}
