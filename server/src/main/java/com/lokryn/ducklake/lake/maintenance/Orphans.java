package com.lokryn.ducklake.lake.maintenance;

import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Sql;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Finds files that no catalog knows, as a process leaves them that was killed, and has them deleted
 * as others are, some time later. DuckLake's own function would take all Parquet files below the
 * data's path, those that clients have exported there among them; these are files of DuckLake's
 * names in the directories of its schemas only.
 */
record Orphans(Pass pass) {
  /** DuckLake counts its files from 0. */
  private static final long FIRST_ID = 1L << 62;

  private static final String NAMES =
      "^ducklake-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(-delete)?\\.parquet$";

  /** More than these, and than the catalog knows: then the files are another lake's. */
  private static final int FEW = 100;

  private static final String KNOWN =
      "SELECT path FROM {c}ducklake_data_file UNION ALL SELECT path FROM {c}ducklake_delete_file"
          + " UNION ALL SELECT path FROM {c}ducklake_files_scheduled_for_deletion";

  Tally run() throws EngineException {
    List<String> found = find();
    long known = pass.metadata().number("SELECT count(*) FROM (%s) k".formatted(KNOWN));
    if (found.size() > Math.max(FEW, known)) {
      return new Tally(
          0,
          "%d files left alone that the catalog does not know: more than those it knows, so that"
                  .formatted(found.size())
              + " they may be another lake's with the same path",
          false,
          Optional.empty());
    }
    int most = pass.limits().batch().deleted();
    List<String> some = found.subList(0, Math.min(most, found.size()));
    if (!pass.dryRun() && !some.isEmpty()) {
      schedule(some);
    }
    return new Tally(
        some.size(),
        Tally.count(some.size(), "file") + " found that writers left behind",
        some.size() < found.size(),
        Optional.empty());
  }

  /** Paths below the data's. Whoever writes a file has a transaction open until it is known. */
  private List<String> find() throws EngineException {
    String before = pass.metadata().beforeOthers(pass.limits().orphanAge());
    String schemas =
        pass
            .metadata()
            .rows("SELECT DISTINCT path FROM {c}ducklake_schema WHERE path_is_relative")
            .stream()
            .map(
                row -> "starts_with(filename, %s)".formatted(Sql.literal(pass.data() + row.get(0))))
            .collect(Collectors.joining(" OR ", "(", ")"));
    if (schemas.equals("()")) {
      return List.of();
    }
    String sql =
        """
        SELECT substr(filename, %d) FROM read_blob(%s)
        WHERE %s AND regexp_matches(parse_filename(filename), %s)
          AND parse_filename(filename) NOT IN (SELECT parse_filename(path) FROM (%s))
          AND last_modified < TIMESTAMPTZ '%s'
        ORDER BY 1
        """
            .formatted(
                pass.data().length() + 1,
                Sql.literal(pass.data() + "**/ducklake-*.parquet"),
                schemas,
                Sql.literal(NAMES),
                pass.metadata().from(KNOWN),
                before);
    return pass.connection().rows(sql).stream().map(List::getFirst).toList();
  }

  private void schedule(List<String> paths) throws EngineException {
    pass.leader().require();
    long first =
        pass.metadata()
            .number(
                ("SELECT greatest(%d, coalesce(max(data_file_id) + 1, 0))"
                        + " FROM {c}ducklake_files_scheduled_for_deletion")
                    .formatted(FIRST_ID));
    var values = new StringBuilder();
    for (int i = 0; i < paths.size(); i++) {
      values
          .append(i == 0 ? "" : ", ")
          .append("(%d, %s, true, now())".formatted(first + i, Sql.literal(paths.get(i))));
    }
    pass.metadata().run("INSERT INTO {c}ducklake_files_scheduled_for_deletion VALUES " + values);
  }

  /** A writer may have been slower than anyone thought: what is committed by now stays. */
  void spareThoseInUse() throws EngineException {
    String name = "regexp_replace(%s.path, '^.*/', '')";
    pass.metadata()
        .run(
            ("DELETE FROM {c}ducklake_files_scheduled_for_deletion WHERE data_file_id >= %d"
                    + " AND regexp_replace(path, '^.*/', '') IN (SELECT %s FROM {c}ducklake_data_file d"
                    + " UNION ALL SELECT %s FROM {c}ducklake_delete_file g)")
                .formatted(FIRST_ID, name.formatted("d"), name.formatted("g")));
  }
}
