package com.lokryn.ducklake.lake.maintenance;

import java.time.Duration;

/**
 * How far a pass goes. What it leaves, the next one takes up.
 *
 * @param retention snapshots are kept this long, and the one that was the newest then
 * @param targetBytes files are merged up to about this size
 * @param quiet a file that is no longer needed is deleted this long after nobody can need it
 * @param orphanAge a file that the catalog does not know counts as left behind from this age on
 * @param batch how much one transaction does
 * @param pass how much a pass does
 */
public record Limits(
    Duration retention,
    long targetBytes,
    Duration quiet,
    Duration orphanAge,
    Amounts batch,
    Amounts pass) {

  /**
   * How much of each kind.
   *
   * @param merged files that merging writes
   * @param snapshots that are expired
   * @param deleted files that are deleted, or found left behind
   */
  public record Amounts(int merged, int snapshots, int deleted) {}

  /** Files of a tenth of a gigabyte or so: a transaction takes seconds, a pass some minutes. */
  private static final Amounts BATCH = new Amounts(4, 500, 1_000);

  private static final Amounts PASS = new Amounts(200, 20_000, 50_000);

  /** What a writer takes at the most, whatever it does, with much to spare. */
  private static final Duration LEAST_ORPHAN_AGE = Duration.ofDays(2);

  /** Those that are usual. */
  public static Limits of(Duration retention, long targetBytes, Duration quiet) {
    Duration orphanAge = retention.compareTo(LEAST_ORPHAN_AGE) > 0 ? retention : LEAST_ORPHAN_AGE;
    return new Limits(retention, targetBytes, quiet, orphanAge, BATCH, PASS);
  }
}
