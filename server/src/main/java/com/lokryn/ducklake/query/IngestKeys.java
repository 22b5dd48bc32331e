package com.lokryn.ducklake.query;

import com.fasterxml.jackson.databind.JsonNode;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The idempotency keys of ingests. A key is committed with the rows, in the extra information of
 * their snapshot, so it is there exactly if they are; it is known as long as its snapshot.
 * Thread-safe.
 */
public final class IngestKeys {
  private static final String KEY = "idempotency_key";
  private static final String TABLE = "table";
  private static final String ROWS = "rows";
  private static final int MAX_LENGTH = 255;
  private static final long POLL_MS = 50;

  private final KeyLock lock;
  private final Session.Connector connector;
  private final Namespace home;

  /**
   * @param connector opens connections to the lake
   * @param home where they begin
   */
  public IngestKeys(KeyLock lock, Session.Connector connector, Namespace home) {
    this.lock = lock;
    this.connector = connector;
    this.home = home;
  }

  /** Waits until nobody else uses the key. */
  KeyLock.Held hold(String key, Cancellation cancellation) throws EngineException {
    if (key.isBlank() || key.length() > MAX_LENGTH) {
      throw new QueryException(
          Problem.INVALID, "an idempotency key has 1 to %d characters".formatted(MAX_LENGTH));
    }
    while (true) {
      Optional<KeyLock.Held> held = lock.tryHold(key);
      if (held.isPresent()) {
        return held.get();
      }
      cancellation.pause(POLL_MS);
    }
  }

  /** The rows that an ingest with this key has written already, if there was one. */
  OptionalLong rows(String key, String table, Cancellation cancellation) throws EngineException {
    String mark = mark(key);
    List<List<String>> found;
    try (EngineConnection connection = connector.connect(home);
        var _ = cancellation.guard(connection)) {
      found =
          connection.rows(
              "SELECT commit_extra_info FROM system.main.ducklake_snapshots('lake')"
                  + " WHERE contains(commit_extra_info, ?)",
              mark);
    }
    for (List<String> row : found) {
      JsonNode extra = Signature.extra(row.getFirst());
      if (extra.path(KEY).asText().equals(key)) {
        if (!extra.path(TABLE).asText().equals(table)) {
          throw new QueryException(
              Problem.INVALID,
              "this idempotency key was used for an ingest into %s: take another one for %s"
                  .formatted(extra.path(TABLE).asText(), table));
        }
        return OptionalLong.of(extra.path(ROWS).asLong());
      }
    }
    return OptionalLong.empty();
  }

  /** What is looked for in the JSON text; other texts may contain it, so it is read as well. */
  private static String mark(String key) {
    String object = Signature.json(Map.of(KEY, key));
    return object.substring(1, object.length() - 1);
  }

  static Signature signed(Signature signature, String key, String table, long rows) {
    return signature.with(KEY, key).with(TABLE, table).with(ROWS, rows);
  }
}
