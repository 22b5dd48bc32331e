package com.lokryn.ducklake.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What writers asked for, and what they were answered: each request writes rows with its number.
 */
public final class Ledger {
  public static final String TABLE = "ledger";

  /** Writes rows of a request. */
  @FunctionalInterface
  public interface Write {
    void run(long request, int rows) throws Exception;
  }

  private final AtomicLong next = new AtomicLong();
  private final Map<Long, Integer> acknowledged = new ConcurrentHashMap<>();
  private final Map<Long, Integer> failed = new ConcurrentHashMap<>();
  private final Map<String, Integer> failures = new ConcurrentHashMap<>();

  /** Rows of a request, as a query. */
  public static String rows(long request, int rows) {
    return "SELECT %d::BIGINT AS request, i::INT AS row_number FROM range(%d) r(i)"
        .formatted(request, rows);
  }

  public void write(int rows, Write write) {
    long request = next.getAndIncrement();
    try {
      write.run(request, rows);
      acknowledged.put(request, rows);
    } catch (Exception e) {
      failed.put(request, rows);
      failed(e);
    }
  }

  /** Takes note of a failure; numbers and ids in its text do not matter. */
  public void failed(Exception failure) {
    failures.merge(
        String.valueOf(failure.getMessage()).replaceAll("[0-9a-f-]*\\d[0-9a-f-]*", "#"),
        1,
        Integer::sum);
  }

  public int acknowledged() {
    return acknowledged.size();
  }

  /** The texts of failures, and how often each was seen. */
  public Map<String, Integer> failures() {
    return failures;
  }

  /** Compares with what is there: whole requests, all that were acknowledged, each once. */
  public void assertKept(TestingClient client) throws Exception {
    var there = new HashMap<Long, Integer>();
    for (List<Object> row :
        client.rows(
            "SELECT request, count(*), count(DISTINCT row_number) FROM %s GROUP BY request"
                .formatted(TABLE))) {
      assertThat(row.get(1)).as("rows of request " + row.getFirst()).isEqualTo(row.get(2));
      there.put((Long) row.getFirst(), ((Long) row.get(1)).intValue());
    }
    assertThat(there).containsAllEntriesOf(acknowledged);
    there.forEach(
        (request, rows) ->
            assertThat(rows)
                .as("rows of request " + request)
                .isEqualTo(acknowledged.getOrDefault(request, failed.get(request))));
  }
}
