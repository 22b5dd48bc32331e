package com.lokryn.ducklake.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.http.ConsoleData.Refused;
import com.lokryn.ducklake.http.ConsoleData.Visitor;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The console: a page for those who would rather look than read, of what the server does and what
 * is in the lake. The page is a few files without inline scripts; what it shows comes as JSON, and
 * is put into it as text. Thread-safe.
 */
public final class Console implements AutoCloseable {
  /** Below which all of it is. */
  static final String PATH = "/console";

  private static final String SELF_ONLY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
          + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private static final Map<String, Answer> FILES =
      Map.of(
          "/", file("index.html", "text/html; charset=utf-8"),
          "/console.css", file("console.css", "text/css; charset=utf-8"),
          "/icon.svg", file("icon.svg", "image/svg+xml"),
          "/console.js", file("console.js", "text/javascript; charset=utf-8"),
          "/dom.js", file("dom.js", "text/javascript; charset=utf-8"),
          "/format.js", file("format.js", "text/javascript; charset=utf-8"),
          "/charts.js", file("charts.js", "text/javascript; charset=utf-8"));

  private final ConsoleDoor door;
  private final ConsoleData data;
  private final EventStreams streams;
  private final ObjectMapper json = new ObjectMapper();

  /**
   * @param fromAnywhere whether other machines may ask, and not this one only
   */
  public Console(ConsoleData data, boolean fromAnywhere) {
    this.door = new ConsoleDoor(fromAnywhere);
    this.data = data;
    this.streams = new EventStreams(data);
  }

  private static Answer file(String name, String type) {
    try (InputStream in = Console.class.getResourceAsStream("console/" + name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is not in the program");
      }
      return new Answer(200, type, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static boolean isOf(String path) {
    return path.equals(PATH) || path.startsWith(PATH + "/");
  }

  /** Answers a request of a path below {@link #PATH}; empty where that is done. */
  Optional<Answer> answer(HttpExchange exchange) throws IOException, InterruptedException {
    Headers headers = exchange.getResponseHeaders();
    headers.set("Content-Security-Policy", SELF_ONLY);
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("X-Frame-Options", "DENY");
    headers.set("Referrer-Policy", "no-referrer");
    headers.set("Cross-Origin-Resource-Policy", "same-origin");
    headers.set("Cross-Origin-Opener-Policy", "same-origin");
    Headers asked = exchange.getRequestHeaders();
    InetAddress from = exchange.getRemoteAddress().getAddress();
    Optional<String> refusal = door.refusal(asked, from, data.areUsersAsked());
    if (refusal.isPresent()) {
      return Optional.of(Answer.text(403, refusal.get()));
    }
    return switch (data.enter(asked.getFirst("Authorization"), from)) {
      case Visitor(Identity identity) -> route(exchange, identity);
      case Refused refused -> Optional.of(refused(exchange, refused));
    };
  }

  private static Answer refused(HttpExchange exchange, Refused refused) {
    if (refused.status() == 401) {
      exchange
          .getResponseHeaders()
          .set("WWW-Authenticate", "Basic realm=\"ducklake-flight\", charset=\"UTF-8\"");
    }
    return Answer.text(refused.status(), refused.text());
  }

  private Optional<Answer> route(HttpExchange exchange, Identity visitor)
      throws IOException, InterruptedException {
    String path = exchange.getRequestURI().getPath().substring(PATH.length());
    if (path.startsWith("/kill/")) {
      return Optional.of(kill(exchange, path, visitor));
    }
    if (!exchange.getRequestMethod().equals("GET")) {
      return Optional.of(Answer.wrongMethod(exchange, "GET"));
    }
    if (path.isEmpty()) {
      exchange.getResponseHeaders().set("Location", "console/");
      return Optional.of(Answer.text(302, "it is at /console/"));
    }
    Answer file = FILES.get(path);
    if (file != null) {
      return Optional.of(file);
    }
    if (path.equals("/events")) {
      return streams.send(exchange, visitor);
    }
    @Nullable String id = after(path, "/statements/");
    return Optional.of(id == null ? Answer.text(404, "not found") : statement(id, visitor));
  }

  private static @Nullable String after(String path, String prefix) {
    return path.startsWith(prefix) ? path.substring(prefix.length()) : null;
  }

  private Answer statement(String id, Identity visitor) throws IOException, InterruptedException {
    var found = data.statement(id, visitor);
    return found.isPresent()
        ? new Answer(200, Answer.JSON, json.writeValueAsString(found.get()) + "\n")
        : Answer.text(404, "it is over and forgotten, or it is not yours");
  }

  private Answer kill(HttpExchange exchange, String path, Identity visitor) {
    if (!exchange.getRequestMethod().equals("POST")) {
      return Answer.wrongMethod(exchange, "POST");
    }
    if (!ConsoleDoor.isOwn(exchange.getRequestHeaders())) {
      return Answer.text(
          403, "a request that changes something comes from this page, with the header X-Console");
    }
    String query = after(path, "/kill/queries/");
    String session = after(path, "/kill/sessions/");
    if (query == null && session == null) {
      return Answer.text(404, "not found");
    }
    boolean isDone =
        query != null
            ? data.killQuery(query, visitor)
            : session != null && data.killSession(session, visitor);
    return isDone
        ? Answer.text(200, "ended")
        : Answer.text(404, "it is over already, or it is not yours");
  }

  /** Ends the streams that are open: the server is stopping. */
  void drain() {
    streams.end();
  }

  @Override
  public void close() {
    streams.end();
    data.close();
  }
}
