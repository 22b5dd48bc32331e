package com.lokryn.ducklake.lake.maintenance;

import com.lokryn.ducklake.engine.EngineException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes files anew without the rows that are deleted of them. DuckLake makes one file of all such
 * files of a partition, however large that gets, so of a large table only the emptiest are taken.
 */
record Rewrite(Pass pass) {
  /** Shares of deleted rows from which on a file is written anew; the last is DuckLake's own. */
  private static final List<Double> THRESHOLDS = List.of(0.5, 0.8, 0.95);

  /** How many times as large as other files the one may get that is written. */
  private static final int MOST = 8;

  /** What a table has to be written anew. */
  private record Candidates(double threshold, long files, double bytes) {}

  Tally run() throws EngineException {
    Map<LakeTable, Candidates> chosen = candidates();
    if (pass.dryRun()) {
      long files = chosen.values().stream().mapToLong(Candidates::files).sum();
      return Tally.of(
          files,
          "%s of %s written anew"
              .formatted(Tally.count(files, "file"), Tally.count(chosen.size(), "table")));
    }
    var busy = new ArrayList<String>();
    long read = 0;
    long written = 0;
    for (Map.Entry<LakeTable, Candidates> entry : chosen.entrySet()) {
      LakeTable table = entry.getKey();
      try {
        for (List<String> row : rewrite(table, entry.getValue().threshold())) {
          read += Long.parseLong(row.get(2));
          written += Long.parseLong(row.get(3));
        }
      } catch (EngineException e) {
        if (!e.error().isConflict()) {
          throw e;
        }
        busy.add(table.shown());
      }
    }
    return new Tally(
        read,
        "%s written anew as %d".formatted(Tally.count(read, "file"), written),
        !busy.isEmpty(),
        busy.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", busy)));
  }

  private List<List<String>> rewrite(LakeTable table, double threshold) throws EngineException {
    try {
      return pass.retrying(
          () -> {
            pass.fence().raise(table.id());
            return pass.call(
                Step.REWRITE.function(),
                "%s, delete_threshold => %s".formatted(table.compaction(), threshold),
                "rewrite files with deletes");
          });
    } finally {
      pass.fence().lower(table.id());
    }
  }

  private Map<LakeTable, Candidates> candidates() throws EngineException {
    var chosen = new LinkedHashMap<LakeTable, Candidates>();
    for (double threshold : THRESHOLDS) {
      boolean last = threshold == THRESHOLDS.getLast();
      candidates(threshold)
          .forEach(
              (table, found) -> {
                if (last || found.bytes() <= (double) MOST * pass.limits().targetBytes()) {
                  chosen.putIfAbsent(table, found);
                }
              });
    }
    return chosen;
  }

  private Map<LakeTable, Candidates> candidates(double threshold) throws EngineException {
    String sql =
        """
        SELECT t.table_id, s.schema_name, t.table_name, count(*),
          sum(x.file_size_bytes * (1.0 - x.share))::double precision
        FROM (
          SELECT d.table_id, d.file_size_bytes,
            g.delete_count::double precision / d.record_count AS share
          FROM {c}ducklake_data_file d
          JOIN {c}ducklake_delete_file g ON g.data_file_id = d.data_file_id
          WHERE d.end_snapshot IS NULL AND g.end_snapshot IS NULL AND d.record_count > 0
        ) x %s WHERE x.share >= %s AND %s
        GROUP BY t.table_id, s.schema_name, t.table_name ORDER BY 1
        """
            .formatted(LakeTable.JOIN, threshold, LakeTable.PRESENT);
    var found = new LinkedHashMap<LakeTable, Candidates>();
    for (List<String> row : pass.metadata().rows(sql)) {
      found.put(
          new LakeTable(Long.parseLong(row.get(0)), row.get(1), row.get(2)),
          new Candidates(threshold, Long.parseLong(row.get(3)), Double.parseDouble(row.get(4))));
    }
    return found;
  }
}
