package com.lokryn.ducklake.lake.maintenance;

import com.lokryn.ducklake.engine.EngineException;
import java.util.List;
import java.util.Optional;

/**
 * Deletes files that snapshots which are there do not name, when all transactions have ended that
 * began before that was so, and some time has gone by since. DuckLake deletes first and commits
 * then: when that is cut off, it is done again, and what is not there any more counts as deleted.
 */
record Cleanup(Pass pass) {
  Tally run() throws EngineException {
    String before = pass.metadata().beforeOthers(pass.limits().quiet());
    String old =
        "{c}ducklake_files_scheduled_for_deletion WHERE schedule_start < TIMESTAMPTZ '%s'"
            .formatted(before);
    long waiting = pass.metadata().number("SELECT count(*) FROM " + old);
    if (pass.dryRun()) {
      return tally(waiting, later(before), false);
    }
    new Orphans(pass).spareThoseInUse();
    long deleted = 0;
    while (deleted < pass.limits().pass().deleted()) {
      Optional<String> until = until(old, before);
      if (until.isEmpty()) {
        return tally(deleted, later(before), false);
      }
      deleted +=
          pass.retrying(
                  () ->
                      pass.call(
                          Step.CLEANUP.function(),
                          "older_than => TIMESTAMPTZ '%s'".formatted(until.get()),
                          "delete files"))
              .size();
    }
    return tally(deleted, later(before), true);
  }

  /** Such that about as many files are older as one transaction deletes. */
  private Optional<String> until(String old, String before) throws EngineException {
    int batch = pass.limits().batch().deleted();
    List<List<String>> times =
        pass.metadata()
            .rows(
                "SELECT schedule_start::text FROM %s ORDER BY schedule_start LIMIT %d"
                    .formatted(old, batch + 1));
    if (times.isEmpty()) {
      return Optional.empty();
    }
    String last = times.getLast().getFirst();
    // What one transaction has scheduled has one time.
    boolean cuts = times.size() > batch && !last.equals(times.getFirst().getFirst());
    return Optional.of(cuts ? last : before);
  }

  private long later(String before) throws EngineException {
    return pass.metadata()
        .number(
            ("SELECT count(*) FROM {c}ducklake_files_scheduled_for_deletion"
                    + " WHERE schedule_start >= TIMESTAMPTZ '%s'")
                .formatted(before));
  }

  private Tally tally(long files, long later, boolean more) {
    return new Tally(
        files,
        Tally.count(files, "file")
            + " deleted"
            + (later == 0 ? "" : "; %d may be needed yet and wait".formatted(later)),
        more,
        Optional.empty());
  }
}
