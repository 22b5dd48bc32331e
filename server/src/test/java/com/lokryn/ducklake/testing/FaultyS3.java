package com.lokryn.ducklake.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A proxy before S3 that fails as a test says. */
public final class FaultyS3 implements AutoCloseable {
  /** A request, as far as faults depend on it. */
  public record Request(String method, String path, String accessKey) {}

  /** What becomes of a request. */
  public sealed interface Fate {
    /** S3 answers. */
    record Passed() implements Fate {}

    /** An error in S3's form. */
    record Refused(int status, String code, String message) implements Fate {}

    /** Nothing, until another fate is chosen. */
    record Silent() implements Fate {}

    /** The connection is closed. */
    record Cut() implements Fate {}
  }

  /** Chooses a fate for each request. */
  @FunctionalInterface
  public interface Fates {
    Fate of(Request request);
  }

  public static final Fate PASSED = new Fate.Passed();
  public static final Fate SLOW_DOWN =
      new Fate.Refused(503, "SlowDown", "Please reduce your request rate.");
  public static final Fate ACCESS_DENIED = new Fate.Refused(403, "AccessDenied", "Access Denied");
  public static final Fate EXPIRED =
      new Fate.Refused(400, "ExpiredToken", "The provided token has expired.");
  public static final Fate UNKNOWN_KEY =
      new Fate.Refused(
          403,
          "InvalidAccessKeyId",
          "The AWS Access Key Id you provided does not exist in our records.");

  private static final Pattern CREDENTIAL = Pattern.compile("Credential=([^/]+)/");

  /** What belongs to a connection, or is made anew by the client. */
  private static final Set<String> OWN_HEADERS =
      Set.of("connection", "content-length", "date", "expect", "host", "transfer-encoding");

  private record Mode(Fates fates, CountDownLatch over) {}

  private final URI target;
  private final HttpClient http = HttpClient.newHttpClient();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicReference<Mode> mode =
      new AtomicReference<>(new Mode(_ -> PASSED, new CountDownLatch(1)));
  private final AtomicInteger refused = new AtomicInteger();
  private final int port;
  private HttpServer server;

  public FaultyS3(URI target) {
    this.target = target;
    server = listening(0);
    port = server.getAddress().getPort();
  }

  private HttpServer listening(int on) {
    try {
      var made = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), on), 0);
      made.setExecutor(threads);
      made.createContext("/", this::handle);
      made.start();
      return made;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + port);
  }

  /** The same fate for all requests from here on. */
  public void all(Fate fate) {
    each(_ -> fate);
  }

  public void each(Fates fates) {
    mode.getAndSet(new Mode(fates, new CountDownLatch(1))).over().countDown();
  }

  /** No one listens. */
  public void stopListening() {
    server.stop(0);
  }

  public void listenAgain() {
    server = listening(port);
  }

  /** Requests that were answered with an error so far. */
  public int refused() {
    return refused.get();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      Mode now = mode.get();
      switch (now.fates().of(request(exchange))) {
        case Fate.Passed() -> forward(exchange, body);
        case Fate.Refused(int status, String code, String message) -> {
          refused.incrementAndGet();
          answer(
              exchange,
              status,
              ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code>"
                      + "<Message>%s</Message><RequestId>0</RequestId></Error>")
                  .formatted(code, message)
                  .getBytes(StandardCharsets.UTF_8));
        }
        case Fate.Silent() -> now.over().await();
        case Fate.Cut() -> {
          // Closing the exchange without an answer closes its connection.
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Request request(HttpExchange exchange) {
    String header =
        Optional.ofNullable(exchange.getRequestHeaders().getFirst("Authorization")).orElse("");
    Matcher matcher = CREDENTIAL.matcher(header);
    return new Request(
        exchange.getRequestMethod(),
        exchange.getRequestURI().getPath(),
        matcher.find() ? matcher.group(1) : "");
  }

  private void forward(HttpExchange exchange, byte[] body)
      throws IOException, InterruptedException {
    URI asked = exchange.getRequestURI();
    var request =
        HttpRequest.newBuilder(URI.create(target + asked.toString()))
            .version(HttpClient.Version.HTTP_1_1)
            .method(
                exchange.getRequestMethod(),
                body.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
    exchange
        .getRequestHeaders()
        .forEach(
            (name, values) -> {
              if (!OWN_HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
                values.forEach(value -> request.header(name, value));
              }
            });
    HttpResponse<byte[]> response = http.send(request.build(), BodyHandlers.ofByteArray());
    response
        .headers()
        .map()
        .forEach(
            (name, values) -> {
              if (!OWN_HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
                exchange.getResponseHeaders().put(name, values);
              }
            });
    if (exchange.getRequestMethod().equals("HEAD")) {
      response
          .headers()
          .firstValue("Content-Length")
          .ifPresent(length -> exchange.getResponseHeaders().set("Content-Length", length));
      exchange.sendResponseHeaders(response.statusCode(), -1);
    } else {
      answer(exchange, response.statusCode(), response.body());
    }
  }

  private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
  }

  @Override
  public void close() {
    all(PASSED);
    server.stop(0);
    threads.shutdownNow();
    http.close();
  }
}
