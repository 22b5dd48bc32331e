package com.lokryn.ducklake.lake.maintenance;

import com.lokryn.ducklake.engine.EngineException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps deletes and compactions of a lake in Postgres from missing each other. DuckLake 1.0 has
 * deletes of a few rows commit whatever was compacted meanwhile, and the other way round (its issue
 * 1215 is of the same kind): rows that somebody has deleted would come back. Triggers on its tables
 * have the later of the two fail, with an error that servers know as a conflict and begin anew.
 *
 * <p>A merge deletes files from the catalog that had no deletes when it read them, so that none may
 * be there now. A rewrite is of files with deletes: it must have read all there are by now.
 *
 * <p>The triggers stay, since transactions that saw the files as they were may go on after the
 * pass. They let all pass that they do not understand, as after a migration.
 */
final class Fence {
  private static final Logger LOG = LoggerFactory.getLogger(Fence.class);

  /**
   * Nothing here waits for those who read: triggers are made where they are missing only, and none
   * is dropped, which would need the table for itself.
   *
   * <p>Words that DuckLake knows as a reason to commit again by itself, such as "conflict", must
   * not be in the errors: that would never succeed.
   */
  private static final String SET_UP =
      """
      SET LOCAL lock_timeout = '5s';
      CREATE TABLE IF NOT EXISTS {c}ducklake_flight_compaction \
      (table_id BIGINT PRIMARY KEY, base_snapshot BIGINT NOT NULL);
      DELETE FROM {c}ducklake_flight_compaction;
      CREATE OR REPLACE FUNCTION {c}ducklake_flight_fence_delete() RETURNS trigger \
      LANGUAGE plpgsql AS $f$
      DECLARE gone boolean;
      BEGIN
        BEGIN
          SELECT NOT EXISTS (SELECT 1 FROM {c}ducklake_data_file
            WHERE data_file_id = (to_jsonb(NEW)->>'file_id')::bigint AND end_snapshot IS NULL)
            AND to_jsonb(NEW)->>'file_id' IS NOT NULL INTO gone;
        EXCEPTION WHEN undefined_column OR undefined_table THEN
          RETURN NEW;
        END;
        IF gone THEN
          RAISE EXCEPTION 'could not serialize: the file was compacted that rows are deleted from'
            USING ERRCODE = 'serialization_failure';
        END IF;
        RETURN NEW;
      END $f$;
      CREATE OR REPLACE FUNCTION {c}ducklake_flight_fence_compaction() RETURNS trigger \
      LANGUAGE plpgsql AS $f$
      DECLARE base bigint; missed boolean;
      BEGIN
        IF TG_OP = 'DELETE' THEN
          base := -1;
        ELSE
          SELECT base_snapshot FROM {c}ducklake_flight_compaction
            WHERE table_id = OLD.table_id INTO base;
        END IF;
        IF base IS NOT NULL THEN
          BEGIN
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM {c}%I WHERE file_id = $1'
                || ' AND begin_snapshot > $2)', 'ducklake_inlined_delete_' || OLD.table_id)
              INTO missed USING OLD.data_file_id, base;
          EXCEPTION WHEN undefined_column OR undefined_table THEN
            missed := false;
          END;
          IF missed THEN
            RAISE EXCEPTION 'could not serialize: rows were deleted from a file being compacted'
              USING ERRCODE = 'serialization_failure';
          END IF;
        END IF;
        IF TG_OP = 'DELETE' THEN
          RETURN OLD;
        END IF;
        RETURN NEW;
      END $f$;
      DO $d$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'ducklake_flight_fence_merge'
            AND tgrelid = '{c}ducklake_data_file'::regclass) THEN
          CREATE TRIGGER ducklake_flight_fence_merge BEFORE DELETE ON {c}ducklake_data_file
            FOR EACH ROW WHEN (OLD.end_snapshot IS NULL)
            EXECUTE FUNCTION {c}ducklake_flight_fence_compaction();
          CREATE TRIGGER ducklake_flight_fence_rewrite
            BEFORE UPDATE OF end_snapshot ON {c}ducklake_data_file
            FOR EACH ROW WHEN (OLD.end_snapshot IS NULL)
            EXECUTE FUNCTION {c}ducklake_flight_fence_compaction();
        END IF;
      END $d$;
      """;

  private static final String TABLE =
      """
      SET LOCAL lock_timeout = '5s';
      CREATE TABLE IF NOT EXISTS {c}ducklake_inlined_delete_{t} \
      (file_id BIGINT, row_id BIGINT, begin_snapshot BIGINT);
      DO $d$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'ducklake_flight_fence'
            AND tgrelid = '{c}ducklake_inlined_delete_{t}'::regclass) THEN
          CREATE TRIGGER ducklake_flight_fence BEFORE INSERT ON {c}ducklake_inlined_delete_{t}
            FOR EACH ROW EXECUTE FUNCTION {c}ducklake_flight_fence_delete();
        END IF;
      END $d$;
      INSERT INTO {c}ducklake_flight_compaction
        SELECT {t}, max(snapshot_id) FROM {c}ducklake_snapshot
        ON CONFLICT (table_id) DO UPDATE SET base_snapshot = excluded.base_snapshot;
      """;

  private final Metadata metadata;
  private boolean isSetUp;

  Fence(Metadata metadata) {
    this.metadata = metadata;
  }

  /** Puts it up around a table, before a transaction that compacts it begins. */
  void raise(long table) throws EngineException {
    if (metadata instanceof Metadata.Local) {
      return;
    }
    if (!isSetUp) {
      metadata.run(SET_UP);
      isSetUp = true;
    }
    metadata.run(TABLE.replace("{t}", Long.toString(table)));
  }

  /**
   * What compacts a table from here on, an admin for instance, is not looked at any more. Where
   * that cannot be said, the next pass says it, before it begins.
   */
  void lower(long table) {
    if (isSetUp) {
      try {
        metadata.run("DELETE FROM {c}ducklake_flight_compaction WHERE table_id = " + table);
      } catch (EngineException e) {
        LOG.atDebug().addKeyValue("error", e.text()).log("a table stays fenced");
      }
    }
  }
}
