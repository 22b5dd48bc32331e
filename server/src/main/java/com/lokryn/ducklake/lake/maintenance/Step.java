package com.lokryn.ducklake.lake.maintenance;

import com.lokryn.ducklake.engine.EngineException;
import java.util.Locale;

/**
 * The steps of a pass, in the order of DuckLake's own CHECKPOINT: what is flushed can be merged,
 * and what is expired or merged leaves files to be deleted. Only what was left behind is looked for
 * before that, since it is deleted in the same way.
 */
public enum Step {
  FLUSH("writes rows that are kept in the catalog into files", "ducklake_flush_inlined_data") {
    @Override
    Tally run(Pass pass) throws EngineException {
      return new Flush(pass).run();
    }
  },
  EXPIRE("forgets snapshots older than the retention", "ducklake_expire_snapshots") {
    @Override
    Tally run(Pass pass) throws EngineException {
      return new Expiry(pass).run();
    }
  },
  MERGE("merges small files", "ducklake_merge_adjacent_files") {
    @Override
    Tally run(Pass pass) throws EngineException {
      return new Merge(pass).run();
    }
  },
  REWRITE("writes files anew that most rows are deleted of", "ducklake_rewrite_data_files") {
    @Override
    Tally run(Pass pass) throws EngineException {
      return new Rewrite(pass).run();
    }
  },
  ORPHANS("finds files that writers left behind", "") {
    @Override
    Tally run(Pass pass) throws EngineException {
      return new Orphans(pass).run();
    }
  },
  CLEANUP("deletes files that nobody needs any more", "ducklake_cleanup_old_files") {
    @Override
    Tally run(Pass pass) throws EngineException {
      return new Cleanup(pass).run();
    }
  };

  private final String does;
  private final String function;

  Step(String does, String function) {
    this.does = does;
    this.function = function;
  }

  /** The name that operators see. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What it does, after its name. */
  public String does() {
    return does;
  }

  /** DuckLake's function that does it; empty where it has none. */
  public String function() {
    return function;
  }

  /** Does it, or counts what it would do. */
  abstract Tally run(Pass pass) throws EngineException;
}
