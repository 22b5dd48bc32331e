package com.lokryn.ducklake.testing;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;

/** Hands requests on, and their answers back, byte for byte. */
final class HttpForwarder implements AutoCloseable {
  /** Small bodies are held in memory, so that they can be sent anew over another connection. */
  private static final int HELD_BYTES = 1 << 20;

  /** What belongs to a connection, or is made anew. */
  private static final Set<String> OWN_HEADERS =
      Set.of(
          "connection",
          "content-length",
          "date",
          "expect",
          "host",
          "http2-settings",
          "transfer-encoding",
          "upgrade");

  private final HttpClient http;

  HttpForwarder(ExecutorService threads) {
    http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).executor(threads).build();
  }

  /** The request as it is. */
  HttpResponse<InputStream> forward(HttpExchange exchange, URI target) throws IOException {
    return send(
        request(exchange, target, Set.of()).method(exchange.getRequestMethod(), body(exchange)));
  }

  /**
   * The request with another body.
   *
   * @param stale headers of the former body, or how their names begin, in small letters
   */
  HttpResponse<InputStream> forward(
      HttpExchange exchange, URI target, byte[] body, Set<String> stale) throws IOException {
    return send(
        request(exchange, target, stale)
            .method(exchange.getRequestMethod(), BodyPublishers.ofByteArray(body)));
  }

  /** A question of our own; signed with the caller's words, from which moto takes the region. */
  HttpResponse<InputStream> ask(HttpExchange exchange, HttpRequest.Builder question)
      throws IOException {
    return send(
        question.setHeader(
            "Authorization", exchange.getRequestHeaders().getFirst("Authorization")));
  }

  private HttpResponse<InputStream> send(HttpRequest.Builder request) throws IOException {
    try {
      return http.send(request.build(), BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("closed");
    }
  }

  private static HttpRequest.Builder request(HttpExchange exchange, URI target, Set<String> stale) {
    var request = HttpRequest.newBuilder(URI.create(target + exchange.getRequestURI().toString()));
    exchange
        .getRequestHeaders()
        .forEach(
            (name, values) -> {
              String small = name.toLowerCase(Locale.ROOT);
              if (!OWN_HEADERS.contains(small) && stale.stream().noneMatch(small::startsWith)) {
                values.forEach(value -> request.header(name, value));
              }
            });
    return request;
  }

  private static BodyPublisher body(HttpExchange exchange) throws IOException {
    Optional<Long> length =
        Optional.ofNullable(exchange.getRequestHeaders().getFirst("Content-Length"))
            .map(Long::valueOf);
    InputStream body = exchange.getRequestBody();
    if (length.isPresent() && length.get() > HELD_BYTES) {
      return BodyPublishers.fromPublisher(BodyPublishers.ofInputStream(() -> body), length.get());
    }
    byte[] held = held(exchange);
    return held.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(held);
  }

  /** A body that has to be small. */
  static byte[] held(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readNBytes(HELD_BYTES + 1);
    if (body.length > HELD_BYTES) {
      throw new UnsupportedOperationException(
          "more than %d bytes need a Content-Length, and a request that nobody looks into"
              .formatted(HELD_BYTES));
    }
    return body;
  }

  /** Hands an answer back, besides the headers that are set already. */
  static void answer(HttpExchange exchange, HttpResponse<InputStream> response) throws IOException {
    try (InputStream body = response.body()) {
      response
          .headers()
          .map()
          .forEach(
              (name, values) -> {
                if (!OWN_HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
                  exchange.getResponseHeaders().putIfAbsent(name, values);
                }
              });
      Optional<String> length = response.headers().firstValue("Content-Length");
      if (exchange.getRequestMethod().equals("HEAD")) {
        length.ifPresent(value -> exchange.getResponseHeaders().set("Content-Length", value));
        exchange.sendResponseHeaders(response.statusCode(), -1);
        return;
      }
      boolean none =
          response.statusCode() == 204
              || response.statusCode() == 304
              || length.equals(Optional.of("0"));
      // Without a length, 0 stands for "as much as comes".
      exchange.sendResponseHeaders(
          response.statusCode(), none ? -1 : length.map(Long::valueOf).orElse(0L));
      if (!none) {
        body.transferTo(exchange.getResponseBody());
      }
    }
  }

  /** An answer of our own. What the client has yet to send is read first, as it reads no sooner. */
  static void answer(HttpExchange exchange, int status, String contentType, byte[] body)
      throws IOException {
    exchange.getRequestBody().transferTo(OutputStream.nullOutputStream());
    boolean none = exchange.getRequestMethod().equals("HEAD") || body.length == 0;
    exchange.getResponseHeaders().put("Content-Type", List.of(contentType));
    exchange.sendResponseHeaders(status, none ? -1 : body.length);
    if (!none) {
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    http.shutdownNow();
    http.close();
  }
}
