package com.lokryn.ducklake.production;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.testing.TestingBalancer;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingProcess;
import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingReadiness;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.arrow.flight.FlightRuntimeException;
import org.apache.arrow.flight.FlightStatusCode;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.sql.FlightSqlClient.PreparedStatement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Two servers of one lake are replaced one after the other, under clients that go on all the time.
 */
class RollingIT {
  /** Longer than it takes the balancer to see two failures. Shorter ones make clients try again. */
  private static final String DELAY = System.getProperty("ducklake.rolling.delay", "4s");

  private static final int CLIENTS = 6;
  private static final int ROWS = 200_000;
  private static final int ATTEMPTS = 6;

  /** One for each of the two servers that stop. */
  private static final int MOST_RETRIES = 2;

  private static TestingProduction services;

  @BeforeAll
  static void start() {
    services = new TestingProduction();
  }

  @AfterAll
  static void stop() {
    services.close();
  }

  private record Replica(TestingProcess process, int httpPort) implements AutoCloseable {
    int port() {
      return process.port();
    }

    @Override
    public void close() {
      process.close();
    }
  }

  private static Replica replica(String lake) {
    Map<String, String> environment = services.environment(lake);
    int httpPort = TestingReadiness.freePort();
    environment.put("HTTP_PORT", Integer.toString(httpPort));
    environment.put("DRAIN_DELAY", DELAY);
    environment.put("DRAIN_TIMEOUT", "20s");
    environment.put("MEMORY_LIMIT", "512MB");
    environment.put("FLIGHT_TOKEN_SECRET", "0123456789abcdef0123456789abcdef");
    return new Replica(
        TestingProcess.start(environment, "serve", "--host", "127.0.0.1", "--port", "0")
            .listening(),
        httpPort);
  }

  /** One that asks again where it is told that it may. */
  private static final class Client {
    private final int port;

    /** Whether it makes a new connection to ask again, or leaves that to its driver. */
    private final boolean reconnects;

    private final Map<String, Integer> retries = new ConcurrentHashMap<>();
    private TestingClient connection;
    private PreparedStatement kept;
    private int queries;
    private int inserted;

    Client(int port, boolean reconnects) {
      this.port = port;
      this.reconnects = reconnects;
    }

    private void connect() {
      var made = new TestingClient(port);
      kept = made.sql().prepare("SELECT 42 AS answer");
      connection = made;
    }

    private interface Work {
      void run() throws Exception;
    }

    private void retrying(Work work) throws Exception {
      for (int attempt = 1; ; attempt++) {
        try {
          if (connection == null) {
            connect();
          }
          work.run();
          queries++;
          return;
        } catch (FlightRuntimeException e) {
          if (e.status().code() != FlightStatusCode.UNAVAILABLE || attempt == ATTEMPTS) {
            throw new AssertionError("attempt %d of query %d".formatted(attempt, queries), e);
          }
          retries.merge(String.valueOf(e.getMessage()), 1, Integer::sum);
        }
        Thread.sleep(100);
        if (reconnects && connection != null) {
          connection.die();
          connection = null;
        }
      }
    }

    void run(AtomicBoolean isOver) throws Exception {
      while (!isOver.get()) {
        retrying(() -> assertThat(connection.value("SELECT 7")).isEqualTo(7));
        if (inserted % 4 == 0) {
          retrying(this::readsAll);
        }
        retrying(() -> assertThat(first(kept)).isEqualTo(42));
        retrying(() -> assertThat(connection.update("INSERT INTO t VALUES (1)")).isEqualTo(1));
        inserted++;
        retrying(
            () ->
                assertThat((Long) connection.value("SELECT count(*) FROM t"))
                    .isGreaterThanOrEqualTo(inserted));
      }
      connection.die();
    }

    private Object first(PreparedStatement statement) throws Exception {
      try (FlightStream stream = connection.stream(statement.execute())) {
        return TestingClient.rows(stream).getFirst().getFirst();
      }
    }

    private void readsAll() throws Exception {
      long rows = 0;
      try (FlightStream stream =
          connection.open("SELECT i, i::VARCHAR AS s FROM range(%d) r(i)".formatted(ROWS))) {
        while (stream.next()) {
          rows += stream.getRoot().getRowCount();
        }
      }
      assertThat(rows).isEqualTo(ROWS);
    }

    int retries() {
      return retries.values().stream().mapToInt(Integer::intValue).sum();
    }
  }

  private static void replace(TestingBalancer balancer, Replica old, String lake, List<Replica> all)
      throws Exception {
    CompletableFuture<Integer> code =
        CompletableFuture.supplyAsync(() -> old.process().terminate());
    Replica next = replica(lake);
    all.add(next);
    balancer.add(next.port(), next.httpPort());
    assertThat(code.get()).isZero();
    await().atMost(Duration.ofSeconds(10)).until(() -> balancer.isHealthy(next.port()));
    // Clients have seen that the old one is gone.
    Thread.sleep(1_000);
    assertThat(balancer.connections(old.port())).isZero();
  }

  @Test
  void noQueryFails() throws Exception {
    String lake = services.newLake();
    var replicas = new ArrayList<Replica>();
    var isOver = new AtomicBoolean();
    try (var balancer = new TestingBalancer();
        ExecutorService threads = Executors.newCachedThreadPool()) {
      for (int i = 0; i < 2; i++) {
        Replica replica = replica(lake);
        replicas.add(replica);
        balancer.add(replica.port(), replica.httpPort());
      }
      Replica first = replicas.get(0);
      Replica second = replicas.get(1);
      await().until(() -> balancer.isHealthy(first.port()) && balancer.isHealthy(second.port()));
      try (var client = new TestingClient(first.port())) {
        client.update("CREATE TABLE t (i INT)");
      }
      var clients = new ArrayList<Client>();
      var running = new ArrayList<Future<?>>();
      for (int i = 0; i < CLIENTS; i++) {
        var client = new Client(balancer.port(), i % 2 == 0);
        clients.add(client);
        running.add(
            threads.submit(
                () -> {
                  client.run(isOver);
                  return null;
                }));
      }
      try {
        Thread.sleep(2_000);
        assertThat(balancer.connections(first.port())).isEqualTo(CLIENTS / 2);
        replace(balancer, first, lake, replicas);
        replace(balancer, second, lake, replicas);
        Thread.sleep(1_000);
      } finally {
        isOver.set(true);
      }
      for (Future<?> client : running) {
        client.get();
      }
      for (Client client : clients) {
        System.out.println(client.queries + " queries, tried again: " + client.retries);
        assertThat(client.queries).isGreaterThan(5);
        assertThat(client.retries())
            .as(client.retries.toString())
            .isLessThanOrEqualTo(MOST_RETRIES);
      }
      try (var client = new TestingClient(balancer.port())) {
        assertThat(client.value("SELECT count(*) FROM t"))
            .isEqualTo(clients.stream().mapToLong(client2 -> client2.inserted).sum());
      }
    } finally {
      isOver.set(true);
      replicas.forEach(Replica::close);
    }
  }
}
