package com.lokryn.ducklake.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.lokryn.ducklake.observe.Metrics;
import com.lokryn.ducklake.observe.Readiness;
import com.lokryn.ducklake.observe.Readiness.Condition;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's HTTP port: {@code /livez} while the process works, {@code /readyz} while it takes
 * queries, {@code /metrics} for Prometheus. A slow client holds nothing but a virtual thread, and
 * that not for long: how many connections there are, and how long a request may take to come and an
 * answer to go, is bounded by the JDK's own properties in {@code jvm.options}.
 */
public final class OpsServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OpsServer.class);
  private static final int BACKLOG = 64;
  private static final String TEXT = "text/plain; charset=utf-8";
  private static final String JSON = "application/json";
  private static final String METRICS = "text/plain; version=0.0.4; charset=utf-8";
  private static final Set<String> PATHS = Set.of("/livez", "/readyz", "/metrics");

  private record Answer(int status, String type, String body) {}

  private final Readiness readiness;
  private final Metrics metrics;
  private final ObjectMapper json = new ObjectMapper();
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("http-", 0).factory());
  private final HttpServer server;

  /**
   * Listens from here on.
   *
   * @param address port 0 takes any that is free
   * @throws IOException when it cannot be bound
   */
  public OpsServer(InetSocketAddress address, Readiness readiness, Metrics metrics)
      throws IOException {
    this.readiness = readiness;
    this.metrics = metrics;
    server = HttpServer.create(address, BACKLOG);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  /** The port that was bound. */
  public int port() {
    return server.getAddress().getPort();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      send(exchange, answer(exchange));
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).log("an HTTP request failed");
    }
  }

  private Answer answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    if (!PATHS.contains(path)) {
      return new Answer(404, TEXT, "not found: there are /livez, /readyz and /metrics\n");
    }
    if (!exchange.getRequestMethod().equals("GET")) {
      exchange.getResponseHeaders().set("Allow", "GET");
      return new Answer(405, TEXT, "GET only\n");
    }
    return switch (path) {
      case "/livez" -> new Answer(200, TEXT, "ok\n");
      case "/metrics" -> new Answer(200, METRICS, metrics.scrape());
      default -> ready();
    };
  }

  private Answer ready() throws IOException {
    Readiness.State state = readiness.state();
    ObjectNode body = json.createObjectNode().put("ready", state.isReady());
    var checks = body.putArray("checks");
    for (Condition condition : state.conditions()) {
      checks
          .addObject()
          .put("id", condition.check().id())
          .put("ok", condition.isOk())
          .put("blocks", condition.blocks())
          .put("detail", condition.detail());
    }
    return new Answer(state.isReady() ? 200 : 503, JSON, json.writeValueAsString(body) + "\n");
  }

  private static void send(HttpExchange exchange, Answer answer) throws IOException {
    byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", answer.type());
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(answer.status(), -1);
      return;
    }
    exchange.sendResponseHeaders(answer.status(), bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
    metrics.close();
  }
}
