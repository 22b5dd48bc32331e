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
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's HTTP port: {@code /livez} while the process works, {@code /readyz} while it takes
 * queries, {@code /metrics} for Prometheus, and the {@link Console}. A slow client holds nothing
 * but a virtual thread, and that not for long: how many connections there are, and how long a
 * request may take to come and an answer to go, is bounded by the JDK's own properties in {@code
 * jvm.options}.
 */
public final class OpsServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OpsServer.class);
  private static final int BACKLOG = 64;
  private static final String METRICS = "text/plain; version=0.0.4; charset=utf-8";
  private static final Set<String> PATHS = Set.of("/livez", "/readyz", "/metrics");

  private final Readiness readiness;
  private final Metrics metrics;
  private final @Nullable Console console;
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
    this(address, readiness, metrics, null);
  }

  /**
   * Listens from here on.
   *
   * @param address port 0 takes any that is free
   * @param console closed with it; null where there is none
   * @throws IOException when it cannot be bound
   */
  public OpsServer(
      InetSocketAddress address, Readiness readiness, Metrics metrics, @Nullable Console console)
      throws IOException {
    this.readiness = readiness;
    this.metrics = metrics;
    this.console = console;
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
      Optional<Answer> answer = answer(exchange);
      if (answer.isPresent()) {
        answer.get().send(exchange);
      }
    } catch (InterruptedException e) {
      // The port is closed.
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).log("an HTTP request failed");
    }
  }

  private Optional<Answer> answer(HttpExchange exchange) throws IOException, InterruptedException {
    String path = exchange.getRequestURI().getPath();
    if (console != null && Console.isOf(path)) {
      return console.answer(exchange);
    }
    if (!PATHS.contains(path)) {
      return Optional.of(Answer.text(404, "not found: there are " + paths()));
    }
    if (!exchange.getRequestMethod().equals("GET")) {
      return Optional.of(Answer.wrongMethod(exchange, "GET"));
    }
    return Optional.of(
        switch (path) {
          case "/livez" -> Answer.text(200, "ok");
          case "/metrics" -> new Answer(200, METRICS, metrics.scrape());
          default -> ready();
        });
  }

  private String paths() {
    return console == null
        ? "/livez, /readyz and /metrics"
        : "/livez, /readyz, /metrics and /console";
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
    return new Answer(
        state.isReady() ? 200 : 503, Answer.JSON, json.writeValueAsString(body) + "\n");
  }

  /** Ends what stays open for long: the server is stopping. */
  public void drain() {
    if (console != null) {
      console.drain();
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
    if (console != null) {
      console.close();
    }
    metrics.close();
  }
}
