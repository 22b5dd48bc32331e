package com.lokryn.ducklake.gate;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Keeps what the lake's catalog has stored, for the snapshots that were used last. It changes with
 * the version of the schema only, which many snapshots share. Thread-safe.
 */
final class StoredCache {
  private static final int SNAPSHOTS = 256;
  private static final int VERSIONS = 16;

  /** By its whole name, since the catalog could have a macro that is called so. */
  private static final String CURRENT =
      "SELECT id FROM system.main.ducklake_current_snapshot('lake')";

  private static final String VERSION =
      "SELECT schema_version FROM __ducklake_metadata_lake.ducklake_snapshot"
          + " WHERE snapshot_id = ";

  private final String exports;
  private final Map<Long, StoredObjects> bySnapshot = keeping(SNAPSHOTS);
  private final Map<Long, StoredObjects> byVersion = keeping(VERSIONS);

  StoredCache(String exports) {
    this.exports = exports;
  }

  private static <K> Map<K, StoredObjects> keeping(int most) {
    return new LinkedHashMap<>(16, 0.75f, true) {
      private static final long serialVersionUID = 1L;

      @Override
      protected boolean removeEldestEntry(Map.Entry<K, StoredObjects> eldest) {
        return size() > most;
      }
    };
  }

  /** The snapshot that the connection's transaction sees; in none, the newest. */
  static long snapshot(EngineConnection connection) throws EngineException {
    return Long.parseLong(connection.rows(CURRENT).getFirst().getFirst());
  }

  synchronized Optional<StoredObjects> known(long snapshot) {
    return Optional.ofNullable(bySnapshot.get(snapshot));
  }

  /** What a snapshot has; asks the catalog where it is not known. */
  StoredObjects learn(long snapshot, EngineConnection connection) throws EngineException {
    List<List<String>> rows = connection.rowsApart(VERSION + snapshot);
    Optional<Long> version = rows.stream().findFirst().map(row -> Long.valueOf(row.getFirst()));
    Optional<StoredObjects> same = version.flatMap(this::ofVersion);
    StoredObjects found =
        same.isPresent() ? same.get() : StoredObjects.at(snapshot, version, connection, exports);
    keep(snapshot, found);
    return found;
  }

  private synchronized Optional<StoredObjects> ofVersion(long version) {
    return Optional.ofNullable(byVersion.get(version));
  }

  private synchronized void keep(long snapshot, StoredObjects found) {
    bySnapshot.put(snapshot, found);
    found.version().ifPresent(version -> byVersion.put(version, found));
  }
}
