package com.lokryn.ducklake.production;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingRemoteServer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two servers of one lake, each with a cache, and with transactions that are kept open for others:
 * a commit on one is seen by the next query of both.
 */
class CacheReplicasIT {
  private static final int COMMITS = 60;
  private static final String QUESTION = "SELECT count(*) FROM hammered";

  @ParameterizedTest
  @ValueSource(strings = {"8MB", "0B"})
  void noCommitIsSeenLate(String cacheSize) throws Exception {
    try (var services = new TestingProduction()) {
      String lake = services.newLake();
      Map<String, String> settings = Map.of("result_cache_size", cacheSize);
      try (var one =
              TestingRemoteServer.start(services, lake, services.aws().endpoint(), settings);
          var two = TestingRemoteServer.start(services, lake, services.aws().endpoint(), settings);
          var readers = Executors.newFixedThreadPool(4)) {
        var committed = new AtomicLong();
        List<Future<?>> reading = new ArrayList<>();
        try (TestingClient writer = one.connect()) {
          writer.update("CREATE TABLE hammered (i INTEGER)");
          for (TestingRemoteServer server : List.of(one, two, one, two)) {
            reading.add(readers.submit(() -> read(server, committed)));
          }
          for (int i = 1; i <= COMMITS; i++) {
            writer.update("INSERT INTO hammered VALUES (%d)".formatted(i));
            committed.set(i);
          }
        }
        for (Future<?> reader : reading) {
          reader.get();
        }
        long hits = one.server().cacheHits() + two.server().cacheHits();
        assertThat(hits > 0).isEqualTo(!cacheSize.equals("0B"));
      }
    }
  }

  /** Asks until all is there; an answer has all that was committed before the question. */
  private static Void read(TestingRemoteServer server, AtomicLong committed) throws Exception {
    try (TestingClient client = server.connect()) {
      long seen;
      do {
        long least = committed.get();
        seen = (Long) client.value(QUESTION);
        assertThat(seen).isGreaterThanOrEqualTo(least);
      } while (seen < COMMITS);
    }
    return null;
  }
}
