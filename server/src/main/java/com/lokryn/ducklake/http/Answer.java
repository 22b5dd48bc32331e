package com.lokryn.ducklake.http;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * What a request is answered with, as a whole.
 *
 * @param type of the body, as HTTP names it
 */
record Answer(int status, String type, String body) {
  static final String TEXT = "text/plain; charset=utf-8";
  static final String JSON = "application/json";

  /** A sentence. */
  static Answer text(int status, String sentence) {
    return new Answer(status, TEXT, sentence + "\n");
  }

  /** Answers with a method that is not the one of the path. */
  static Answer wrongMethod(HttpExchange exchange, String method) {
    exchange.getResponseHeaders().set("Allow", method);
    return text(405, method + " only");
  }

  void send(HttpExchange exchange) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(status, -1);
      return;
    }
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }
}
