package com.lokryn.ducklake.lake.maintenance;

import com.lokryn.ducklake.engine.EngineException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/** Writes inlined rows, and inlined deletes, into files. */
record Flush(Pass pass) {
  /** Comes after the snapshots of all transactions: DuckLake reads rows up to one of these. */
  private static final long NEVER = Long.MAX_VALUE;

  private static final String DELETES = "ducklake_inlined_delete_";

  /** Tables that one query asks about. */
  private static final int TABLES_AT_ONCE = 100;

  /**
   * When DuckLake has flushed, it drops the tables of inlined rows that an earlier form of a table
   * had, if they are empty. Servers and DuckDB clients that remember them then fail, in DuckDB
   * 1.5.5 with an internal error that ends the instance. A row that is never seen keeps them.
   */
  private static final String KEEP =
      """
      DO $d$ DECLARE name text; BEGIN
        FOR name IN SELECT table_name FROM {c}ducklake_inlined_data_tables LOOP
          EXECUTE format('INSERT INTO {c}%%1$I (row_id, begin_snapshot, end_snapshot)'
            || ' SELECT -1, %1$d, %1$d WHERE NOT EXISTS'
            || ' (SELECT 1 FROM {c}%%1$I WHERE begin_snapshot = %1$d)', name);
        END LOOP;
      END $d$;
      """
          .formatted(NEVER);

  Tally run() throws EngineException {
    SequencedMap<LakeTable, Long> tables = tables();
    if (pass.dryRun()) {
      return tally(tables.values().stream().mapToLong(Long::longValue).sum(), tables.size());
    }
    if (!tables.isEmpty() && !pass.isHeldAlone()) {
      pass.metadata().run(KEEP);
    }
    var busy = new ArrayList<String>();
    long rows = 0;
    int flushed = 0;
    for (Map.Entry<LakeTable, Long> entry : tables.entrySet()) {
      LakeTable table = entry.getKey();
      try {
        pass.retrying(() -> pass.call(Step.FLUSH.function(), table.flush(), "flush inlined rows"));
        rows += entry.getValue();
        flushed++;
      } catch (EngineException e) {
        if (!e.error().isConflict()) {
          throw e;
        }
        busy.add(table.shown());
      }
    }
    return new Tally(
        rows,
        tally(rows, flushed).text(),
        !busy.isEmpty(),
        busy.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", busy)));
  }

  private static Tally tally(long rows, int tables) {
    return Tally.of(
        rows,
        "%s of %s written into files"
            .formatted(Tally.count(rows, "inlined row"), Tally.count(tables, "table")));
  }

  /** Those with something inlined, and how many rows and deletes that is. */
  private SequencedMap<LakeTable, Long> tables() throws EngineException {
    SequencedMap<LakeTable, Long> found = new LinkedHashMap<>();
    var queries = new ArrayList<String>();
    Map<String, LakeTable> present =
        pass
            .metadata()
            .rows(
                "SELECT t.table_id, s.schema_name, t.table_name FROM {c}ducklake_table t"
                    + " JOIN {c}ducklake_schema s ON s.schema_id = t.schema_id WHERE"
                    + LakeTable.PRESENT
                    + " ORDER BY 1")
            .stream()
            .collect(
                Collectors.toMap(
                    List::getFirst,
                    row -> new LakeTable(Long.parseLong(row.get(0)), row.get(1), row.get(2)),
                    (one, _) -> one,
                    LinkedHashMap::new));
    for (List<String> row :
        pass.metadata()
            .rows("SELECT table_id, table_name FROM {c}ducklake_inlined_data_tables ORDER BY 1")) {
      queries.add(count(row.get(0), row.get(1)));
    }
    for (String name : pass.metadata().tables(DELETES)) {
      queries.add(count(name.substring(DELETES.length()), name));
    }
    for (int from = 0; from < queries.size(); from += TABLES_AT_ONCE) {
      List<String> some = queries.subList(from, Math.min(queries.size(), from + TABLES_AT_ONCE));
      for (List<String> row : pass.metadata().rows(String.join(" UNION ALL ", some))) {
        LakeTable table = present.get(row.get(0));
        long rows = Long.parseLong(row.get(1));
        if (table != null && rows > 0) {
          found.merge(table, rows, Long::sum);
        }
      }
    }
    return found;
  }

  private static String count(String table, String inlined) {
    return "SELECT %s AS table_id, count(*) AS inlined FROM {c}%s WHERE begin_snapshot < %d"
        .formatted(table, inlined, NEVER);
  }
}
