package com.lokryn.ducklake.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.http.ConsoleData.LakeState;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Tells those who look at the console what is new, each second, as server-sent events. A stream
 * ends by itself after a few seconds and its browser opens the next one: no answer of this port
 * takes longer (see jvm.options), which is what ends clients that do not read, and who looks is
 * asked anew each time. Thread-safe.
 */
final class EventStreams {
  /** How many there may be at a time. */
  static final int MOST = 32;

  private static final long PERIOD_MS = 1_000;
  private static final long LENGTH_NANOS = TimeUnit.MILLISECONDS.toNanos(3_500);
  private static final int RETRY_MS = 100;

  private final ConsoleData data;
  private final ObjectMapper json = new ObjectMapper();
  private final Semaphore places = new Semaphore(MOST);
  private final CountDownLatch stop = new CountDownLatch(1);

  EventStreams(ConsoleData data) {
    this.data = data;
  }

  /** Sends until the stream's end; empty when it did. */
  Optional<Answer> send(HttpExchange exchange, Identity visitor)
      throws IOException, InterruptedException {
    if (stop.getCount() == 0) {
      return Optional.of(Answer.text(503, "the server is stopping"));
    }
    if (!places.tryAcquire()) {
      return Optional.of(Answer.text(503, "too many are looking: %d".formatted(MOST)));
    }
    try {
      stream(exchange, visitor);
      return Optional.empty();
    } finally {
      places.release();
    }
  }

  private void stream(HttpExchange exchange, Identity visitor)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + LENGTH_NANOS;
    String lake = exchange.getRequestHeaders().getFirst("Last-Event-ID");
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.sendResponseHeaders(200, 0);
    try (OutputStream out = exchange.getResponseBody()) {
      String first = "retry: " + RETRY_MS + "\n\n";
      do {
        String events = first + event("now", null, data.now(visitor));
        first = "";
        Optional<LakeState> state = data.lake(visitor);
        if (state.isPresent() && !state.get().version().equals(lake)) {
          lake = state.get().version();
          events += event("lake", lake, state.get().content());
        }
        out.write(events.getBytes(StandardCharsets.UTF_8));
        out.flush();
      } while (System.nanoTime() < end && !stop.await(PERIOD_MS, TimeUnit.MILLISECONDS));
    }
  }

  /** JSON has no line in it that is broken. */
  private String event(String name, @Nullable String id, Object content)
      throws JsonProcessingException {
    return (id == null ? "" : "id: " + id + "\n")
        + "event: %s\ndata: %s\n\n".formatted(name, json.writeValueAsString(content));
  }

  /** Ends those that are open, and lets no other begin. */
  void end() {
    stop.countDown();
  }
}
