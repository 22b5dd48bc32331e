package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import java.util.List;

/**
 * What a lake has, from its catalog: no file of its data is opened.
 *
 * @param total of all tables
 * @param tables the largest ones, the largest first
 * @param snapshots the last ones, the newest first
 */
public record LakeOverview(Total total, List<TableSize> tables, List<Snapshot> snapshots) {
  private static final int MOST_TABLES = 200;
  private static final int MOST_SNAPSHOTS = 100;

  /**
   * Files that are in use, and what earlier snapshots need besides.
   *
   * @param bytes of the files in use
   * @param oldBytes of files that only earlier snapshots need
   */
  public record Total(long tables, long files, long bytes, long oldFiles, long oldBytes) {}

  /**
   * A table.
   *
   * @param rows with those that lie in the catalog as yet, and without those that were deleted, but
   *     for deletions that lie there too
   * @param deleteFiles files that say which rows are deleted
   */
  public record TableSize(
      long id, String schema, String name, long rows, long files, long bytes, long deleteFiles) {}

  /**
   * A snapshot.
   *
   * @param time milliseconds since 1970
   * @param delta bytes of files that came with it, less those that went
   */
  public record Snapshot(
      long id, long time, String author, String message, String changes, long delta) {}

  // Each column has a name: DuckDB asks Postgres for them by their names.

  private static final String TOTAL =
      """
      SELECT (SELECT count(*) FROM {c}ducklake_table WHERE end_snapshot IS NULL)::text AS tables,
        count(CASE WHEN end_snapshot IS NULL THEN 1 END)::text AS files,
        coalesce(sum(CASE WHEN end_snapshot IS NULL THEN file_size_bytes END), 0)::text AS bytes,
        count(end_snapshot)::text AS old_files,
        coalesce(sum(CASE WHEN end_snapshot IS NOT NULL THEN file_size_bytes END), 0)::text
          AS old_bytes
      FROM {c}ducklake_data_file""";

  private static final String TABLES =
      """
      SELECT t.table_id::text AS id, s.schema_name::text AS schema, t.table_name::text AS name,
        (coalesce(r.record_count, 0) - coalesce(d.deleted, 0))::text AS left_rows,
        coalesce(f.files, 0)::text AS files, coalesce(f.bytes, 0)::text AS bytes,
        coalesce(d.files, 0)::text AS delete_files
      FROM {c}ducklake_table t
      JOIN {c}ducklake_schema s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL
      LEFT JOIN {c}ducklake_table_stats r ON r.table_id = t.table_id
      LEFT JOIN (SELECT table_id, count(*) AS files, sum(file_size_bytes) AS bytes
        FROM {c}ducklake_data_file WHERE end_snapshot IS NULL GROUP BY table_id) f
        ON f.table_id = t.table_id
      LEFT JOIN (SELECT table_id, count(*) AS files, sum(delete_count) AS deleted
        FROM {c}ducklake_delete_file WHERE end_snapshot IS NULL GROUP BY table_id) d
        ON d.table_id = t.table_id
      WHERE t.end_snapshot IS NULL
      ORDER BY coalesce(f.bytes, 0) DESC, s.schema_name, t.table_name LIMIT %d"""
          .formatted(MOST_TABLES);

  private static final String SNAPSHOTS =
      """
      SELECT s.snapshot_id::text AS id,
        (extract(epoch FROM s.snapshot_time) * 1000)::bigint::text AS ms,
        coalesce(c.author, '')::text AS author, coalesce(c.commit_message, '')::text AS message,
        coalesce(c.changes_made, '')::text AS changes,
        (coalesce(a.bytes, 0) - coalesce(e.bytes, 0))::text AS delta
      FROM (SELECT snapshot_id, snapshot_time FROM {c}ducklake_snapshot
        ORDER BY snapshot_id DESC LIMIT %d) s
      LEFT JOIN {c}ducklake_snapshot_changes c ON c.snapshot_id = s.snapshot_id
      LEFT JOIN (SELECT begin_snapshot, sum(file_size_bytes) AS bytes
        FROM {c}ducklake_data_file GROUP BY begin_snapshot) a ON a.begin_snapshot = s.snapshot_id
      LEFT JOIN (SELECT end_snapshot, sum(file_size_bytes) AS bytes
        FROM {c}ducklake_data_file GROUP BY end_snapshot) e ON e.end_snapshot = s.snapshot_id
      ORDER BY s.snapshot_id DESC"""
          .formatted(MOST_SNAPSHOTS);

  /** Reads it. */
  public static LakeOverview read(Lake lake, EngineConnection connection) throws EngineException {
    List<String> total = rows(lake, connection, TOTAL).getFirst();
    return new LakeOverview(
        new Total(
            number(total, 0),
            number(total, 1),
            number(total, 2),
            number(total, 3),
            number(total, 4)),
        rows(lake, connection, TABLES).stream()
            .map(
                row ->
                    new TableSize(
                        number(row, 0),
                        row.get(1),
                        row.get(2),
                        number(row, 3),
                        number(row, 4),
                        number(row, 5),
                        number(row, 6)))
            .toList(),
        rows(lake, connection, SNAPSHOTS).stream()
            .map(
                row ->
                    new Snapshot(
                        number(row, 0),
                        number(row, 1),
                        row.get(2),
                        row.get(3),
                        row.get(4),
                        number(row, 5)))
            .toList());
  }

  private static List<List<String>> rows(Lake lake, EngineConnection connection, String sql)
      throws EngineException {
    return connection.rows(
        switch (lake) {
          case LocalLake _ ->
              sql.replace("{c}", "__ducklake_metadata_" + LakeCatalog.NAME + ".main.");
          case RemoteLake _ -> RemoteLake.ask(sql.replace("{c}", "public."));
        });
  }

  private static long number(List<String> row, int column) {
    return Long.parseLong(row.get(column));
  }
}
