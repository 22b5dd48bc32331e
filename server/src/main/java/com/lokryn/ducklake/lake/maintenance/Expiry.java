package com.lokryn.ducklake.lake.maintenance;

import com.lokryn.ducklake.engine.EngineException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Expires what came before the snapshot that was the newest when the retention began: that one is
 * what a query of any time within it may ask for. The retention is counted from the beginning of
 * the oldest transaction that is open: DuckLake commits under the number after the snapshot that
 * its transaction saw, and begins anew only where that is taken. If it had expired, the commit
 * would end well with a number below the newest, and nobody would see it (DuckLake of DuckDB
 * 1.5.5).
 */
record Expiry(Pass pass) {
  Tally run() throws EngineException {
    String since = pass.metadata().beforeOthers(pass.limits().retention());
    String old =
        ("{c}ducklake_snapshot WHERE snapshot_id < (SELECT max(snapshot_id)"
                + " FROM {c}ducklake_snapshot WHERE snapshot_time <= TIMESTAMPTZ '%s')")
            .formatted(since);
    if (pass.dryRun()) {
      return tally(pass.metadata().number("SELECT count(*) FROM " + old), false);
    }
    long expired = 0;
    int batch = pass.limits().batch().snapshots();
    while (expired < pass.limits().pass().snapshots()) {
      List<List<String>> oldest =
          pass.metadata()
              .rows("SELECT snapshot_id FROM %s ORDER BY 1 LIMIT %d".formatted(old, batch));
      if (oldest.isEmpty()) {
        return tally(expired, false);
      }
      String versions = oldest.stream().map(List::getFirst).collect(Collectors.joining(", "));
      pass.retrying(
          () ->
              pass.call(Step.EXPIRE.function(), "versions => [%s]".formatted(versions), "expire"));
      expired += oldest.size();
    }
    return tally(expired, true);
  }

  private Tally tally(long snapshots, boolean more) {
    return new Tally(
        snapshots, Tally.count(snapshots, "snapshot") + " expired", more, Optional.empty());
  }
}
