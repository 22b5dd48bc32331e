package com.lokryn.ducklake.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A service that answers as a test says: with errors, nonsense, or not at all. */
public final class ScriptedService implements AutoCloseable {
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final List<String> requests = new CopyOnWriteArrayList<>();

  /** An answer; a status of 0 is none at all, and the request waits for it. */
  public record Answer(int status, String contentType, String body, Map<String, String> headers) {
    public Answer(int status, String contentType, String body) {
      this(status, contentType, body, Map.of());
    }

    /** As S3 to a question about a bucket, with where the bucket is, if it says so. */
    public static Answer head(int status, @Nullable String region) {
      return new Answer(
          status,
          "application/xml",
          "",
          region == null ? Map.of() : Map.of("x-amz-bucket-region", region));
    }

    /** As the services that speak JSON. */
    public static Answer json(int status, String body) {
      return new Answer(status, "application/x-amz-json-1.1", body);
    }

    /** As S3. */
    public static Answer xml(int status, String body) {
      return new Answer(status, "application/xml", body);
    }

    public static Answer none() {
      return new Answer(0, "", "");
    }
  }

  /**
   * @param answers from the number of the request, the first is 0, and "METHOD /path"
   */
  public ScriptedService(Answers answers) {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/", exchange -> handle(exchange, answers));
    server.start();
  }

  /** The same answer to all. */
  public static ScriptedService always(Answer answer) {
    return new ScriptedService((_, _) -> answer);
  }

  /** One answer to each request, from what is asked. */
  public static ScriptedService to(Function<String, Answer> answers) {
    return new ScriptedService((_, request) -> answers.apply(request));
  }

  /** What a service answers. */
  @FunctionalInterface
  public interface Answers {
    Answer to(int number, String request);
  }

  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** What was asked so far, as "METHOD /path". */
  public List<String> requests() {
    return List.copyOf(requests);
  }

  private void handle(HttpExchange exchange, Answers answers) throws IOException {
    try (exchange) {
      exchange.getRequestBody().readAllBytes();
      String request = exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
      int number;
      synchronized (requests) {
        number = requests.size();
        requests.add(request);
      }
      Answer answer = answers.to(number, request);
      if (answer.status() == 0) {
        closed.await();
        return;
      }
      byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().add("Content-Type", answer.contentType());
      answer.headers().forEach(exchange.getResponseHeaders()::add);
      exchange.sendResponseHeaders(answer.status(), body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
