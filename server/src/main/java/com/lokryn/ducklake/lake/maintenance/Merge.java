package com.lokryn.ducklake.lake.maintenance;

import com.lokryn.ducklake.engine.EngineException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Merges small files with others of about their size: a file that has grown is not written again
 * for each small one that comes after it.
 */
record Merge(Pass pass) {
  /**
   * Files of a size.
   *
   * @param from in bytes
   * @param to the first that is too large
   * @param least how many of them are worth to be merged
   */
  private record Tier(long from, long to, int least) {}

  /** Files of a table that may be merged with each other. */
  private record Candidates(LakeTable table, Tier tier, long files) {}

  Tally run() throws EngineException {
    List<Candidates> all = new ArrayList<>();
    for (Tier tier : tiers(pass.limits().targetBytes())) {
      all.addAll(candidates(tier));
    }
    if (pass.dryRun()) {
      long files = all.stream().mapToLong(Candidates::files).sum();
      return Tally.of(
          files,
          "up to %s of %s merged"
              .formatted(
                  Tally.count(files, "file"),
                  Tally.count(all.stream().map(Candidates::table).distinct().count(), "table")));
    }
    return merge(all);
  }

  private static List<Tier> tiers(long target) {
    long small = Math.max(1, target / 32);
    long middle = Math.max(small + 1, target / 4);
    return List.of(
        new Tier(0, small, 2),
        new Tier(small, middle, 4),
        new Tier(middle, Math.max(middle + 1, target), 4));
  }

  private Tally merge(List<Candidates> all) throws EngineException {
    var busy = new ArrayList<String>();
    long read = 0;
    long written = 0;
    boolean more = false;
    for (Candidates some : all) {
      try {
        while (true) {
          if (written >= pass.limits().pass().merged()) {
            more = true;
            break;
          }
          List<List<String>> merged = merge(some);
          if (merged.isEmpty()) {
            break;
          }
          for (List<String> row : merged) {
            read += Long.parseLong(row.get(2));
            written += Long.parseLong(row.get(3));
          }
        }
      } catch (EngineException e) {
        if (!e.error().isConflict()) {
          throw e;
        }
        busy.add(some.table().shown());
      }
    }
    return new Tally(
        read,
        "%s merged into %d".formatted(Tally.count(read, "file"), written),
        more || !busy.isEmpty(),
        busy.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", busy)));
  }

  private List<List<String>> merge(Candidates some) throws EngineException {
    long table = some.table().id();
    try {
      return pass.retrying(
          () -> {
            pass.fence().raise(table);
            return pass.call(
                Step.MERGE.function(),
                "%s, min_file_size => %d, max_file_size => %d, max_compacted_files => %d"
                    .formatted(
                        some.table().compaction(),
                        some.tier().from(),
                        some.tier().to(),
                        pass.limits().batch().merged()),
                "merge small files");
          });
    } finally {
      pass.fence().lower(table);
    }
  }

  /** As DuckLake groups files: by the form of the table and the partition that they are of. */
  private List<Candidates> candidates(Tier tier) throws EngineException {
    String sql =
        """
        SELECT t.table_id, s.schema_name, t.table_name, sum(x.files)::bigint FROM (
          SELECT f.table_id, f.version, f.partition, count(*) AS files FROM (
            SELECT d.table_id,
              (SELECT max(v.schema_version) FROM {c}ducklake_schema_versions v
                WHERE v.table_id = d.table_id AND v.begin_snapshot <= d.begin_snapshot) AS version,
              (SELECT string_agg(coalesce(p.partition_value, ''), '/'
                  ORDER BY p.partition_key_index)
                FROM {c}ducklake_file_partition_value p
                WHERE p.data_file_id = d.data_file_id) AS partition
            FROM {c}ducklake_data_file d
            WHERE d.end_snapshot IS NULL
              AND d.file_size_bytes >= %d AND d.file_size_bytes < %d
              AND NOT EXISTS (SELECT 1 FROM {c}ducklake_delete_file g
                WHERE g.data_file_id = d.data_file_id)
          ) f GROUP BY f.table_id, f.version, f.partition HAVING count(*) >= %d
        ) x %s WHERE %s GROUP BY t.table_id, s.schema_name, t.table_name ORDER BY 1
        """
            .formatted(tier.from(), tier.to(), tier.least(), LakeTable.JOIN, LakeTable.PRESENT);
    return pass.metadata().rows(sql).stream()
        .map(
            row ->
                new Candidates(
                    new LakeTable(Long.parseLong(row.get(0)), row.get(1), row.get(2)),
                    tier,
                    Long.parseLong(row.get(3))))
        .toList();
  }
}
