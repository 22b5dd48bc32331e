package com.lokryn.ducklake.lake.maintenance;

import static com.lokryn.ducklake.testing.TestingMaintenance.WEEK;
import static com.lokryn.ducklake.testing.TestingMaintenance.done;
import static com.lokryn.ducklake.testing.TestingMaintenance.impatient;
import static com.lokryn.ducklake.testing.TestingMaintenance.limits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.lokryn.ducklake.testing.TestingMaintenance;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What each step does to a lake in a directory. */
class LocalMaintenanceIT {
  private static final int INSERTS = 2_000;
  private static final String QUESTION =
      "SELECT part % 7 AS day, count(*) AS n, sum(i) AS i FROM t GROUP BY ALL ORDER BY ALL";

  @TempDir private Path directory;
  private TestingMaintenance lake;

  @BeforeEach
  void open() throws Exception {
    lake = TestingMaintenance.of(directory);
  }

  @AfterEach
  void close() {
    lake.close();
  }

  private long files() throws Exception {
    return Long.parseLong(lake.value("SELECT count(*) FROM ducklake_list_files('lake', 't')"));
  }

  private long onDisk() throws Exception {
    try (Stream<Path> all = Files.walk(directory.resolve("data"))) {
      return all.filter(path -> path.toString().endsWith(".parquet")).count();
    }
  }

  private String snapshot() throws Exception {
    return lake.value("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')");
  }

  /** Milliseconds, the middle of five. */
  private double timed() throws Exception {
    var times = new double[5];
    for (int i = 0; i < times.length; i++) {
      long start = System.nanoTime();
      lake.rows(QUESTION);
      times[i] = (System.nanoTime() - start) / 1e6;
    }
    Arrays.sort(times);
    return times[2];
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 20})
  void manySmallInsertsBecomeOneFile(int rows) throws Exception {
    lake.run("CREATE TABLE t (part INTEGER, i INTEGER)");
    for (int i = 0; i < INSERTS; i++) {
      lake.run("INSERT INTO t SELECT %d, range FROM range(%d)".formatted(i, rows));
    }
    // One row stays in the catalog, twenty are a file.
    assertThat(files()).isEqualTo(rows == 1 ? 0 : INSERTS);
    List<List<String>> before = lake.rows(QUESTION);
    double slow = timed();
    Report report = lake.run(limits(WEEK));
    assertThat(report.steps()).allMatch(step -> step.problem().isEmpty());
    double quick = timed();
    assertThat(lake.rows(QUESTION)).isEqualTo(before);
    assertThat(files()).isEqualTo(1);
    assertThat(onDisk()).isEqualTo(1);
    assertThat(lake.value("SELECT count(*) FROM t AT (VERSION => 1001)"))
        .isEqualTo(Integer.toString(1_000 * rows));
    System.out.printf(
        "%d inserts of %d rows: %.1f ms, after maintenance of %d ms %.1f ms: %.1f times as quick%n",
        INSERTS, rows, slow, report.took().toMillis(), quick, slow / quick);
    if (rows > 1) {
      assertThat(2 * quick).isLessThan(slow);
    }
  }

  @Test
  void aDryRunCountsAndChangesNothing() throws Exception {
    lake.run("CREATE TABLE t (part INTEGER, i INTEGER)");
    for (int i = 0; i < 5; i++) {
      lake.run("INSERT INTO t VALUES (%d, 1)".formatted(i));
      lake.run("INSERT INTO t SELECT 100, range FROM range(%d)".formatted(20 + i));
    }
    lake.run("DELETE FROM t WHERE part = 100 AND i < 18");
    String before = snapshot();
    Report report = lake.dryRun(limits(Duration.ZERO));
    assertThat(report.steps()).hasSize(Step.values().length);
    assertThat(done(report, Step.FLUSH)).isEqualTo(5);
    assertThat(done(report, Step.EXPIRE)).isEqualTo(Long.parseLong(before));
    assertThat(done(report, Step.REWRITE)).isEqualTo(5);
    assertThat(snapshot()).isEqualTo(before);
    assertThat(files()).isEqualTo(5);
    Report after = lake.run(limits(Duration.ZERO));
    assertThat(done(after, Step.FLUSH)).isEqualTo(5);
    assertThat(done(after, Step.EXPIRE)).isPositive();
  }

  @Test
  void filesWithManyDeletesAreWrittenAnewAndOldOnesGo() throws Exception {
    lake.run("CREATE TABLE t (part INTEGER, i INTEGER)");
    lake.run("INSERT INTO t SELECT 1, range FROM range(10000)");
    lake.run("INSERT INTO t SELECT 2, range FROM range(10000)");
    lake.run("DELETE FROM t WHERE part = 1 AND i < 9000");
    lake.run("DELETE FROM t WHERE part = 2 AND i < 1000");
    List<List<String>> rows = lake.rows(QUESTION);
    assertThat(done(lake.run(limits(WEEK)), Step.REWRITE)).isEqualTo(1);
    assertThat(lake.rows(QUESTION)).isEqualTo(rows);
    // The file of before is that of snapshots which are kept.
    assertThat(lake.value("SELECT count(*) FROM t AT (VERSION => 3)")).isEqualTo("20000");
    Report report = lake.run(limits(Duration.ZERO));
    assertThat(done(report, Step.EXPIRE)).isPositive();
    assertThat(done(report, Step.CLEANUP)).isEqualTo(2);
    assertThat(lake.rows(QUESTION)).isEqualTo(rows);
    assertThatThrownBy(() -> lake.value("SELECT count(*) FROM t AT (VERSION => 3)"))
        .hasMessageContaining("No snapshot found at version 3");
  }

  /** A snapshot is what the lake was until the next one, however long that took. */
  @Test
  void whatWasThereWhenTheRetentionBeganStays() throws Exception {
    lake.run("CREATE TABLE t (part INTEGER, i INTEGER)");
    lake.run("INSERT INTO t SELECT 1, range FROM range(100)");
    lake.run("INSERT INTO t SELECT 2, range FROM range(100)");
    Thread.sleep(1_500);
    lake.run("DELETE FROM t");
    lake.run(limits(Duration.ofSeconds(1)));
    assertThat(lake.value("SELECT count(*) FROM t AT (VERSION => 3)")).isEqualTo("200");
    assertThatThrownBy(() -> lake.value("SELECT count(*) FROM t AT (VERSION => 2)"))
        .hasMessageContaining("No snapshot found at version 2");
  }

  @Test
  void whatIsLeftBehindGoesAndWhatClientsExportStays() throws Exception {
    lake.run("CREATE TABLE t (part INTEGER, i INTEGER)");
    lake.run("INSERT INTO t SELECT 1, range FROM range(100)");
    Path data = directory.resolve("data");
    Path orphan = data.resolve("main/t/ducklake-018f2d6a-0000-7000-8000-00000000000a.parquet");
    Path export = data.resolve("exports/ducklake-018f2d6a-0000-7000-8000-00000000000b.parquet");
    Path own = data.resolve("main/t/mine.parquet");
    for (Path file : List.of(orphan, export, own)) {
      Files.write(file, new byte[10]);
    }
    assertThat(done(lake.run(limits(WEEK)), Step.ORPHANS)).isZero();
    assertThat(done(lake.dryRun(impatient(limits(WEEK))), Step.ORPHANS)).isEqualTo(1);
    Report report = lake.run(impatient(limits(WEEK)));
    assertThat(done(report, Step.ORPHANS)).isEqualTo(1);
    assertThat(orphan).doesNotExist();
    assertThat(List.of(export, own)).allMatch(Files::exists);
    assertThat(lake.value("SELECT count(*) FROM t")).isEqualTo("100");
    assertThat(done(lake.run(impatient(limits(WEEK))), Step.ORPHANS)).isZero();
  }

  @Test
  void filesOfAnotherLakeOnTheSamePathStay() throws Exception {
    lake.run("CREATE TABLE t (part INTEGER, i INTEGER)");
    lake.run("INSERT INTO t SELECT 1, range FROM range(100)");
    for (int i = 0; i < 101; i++) {
      Files.write(
          directory.resolve(
              "data/main/t/ducklake-018f2d6a-0000-7000-8000-%012x.parquet".formatted(i)),
          new byte[10]);
    }
    Report report = lake.run(impatient(limits(WEEK)));
    assertThat(done(report, Step.ORPHANS)).isZero();
    assertThat(report.steps())
        .filteredOn(step -> step.step() == Step.ORPHANS)
        .allMatch(step -> step.text().contains("another lake's"));
    assertThat(onDisk()).isEqualTo(102);
  }

  @Test
  void partitionsAndSchemasStayWhatTheyAre() throws Exception {
    lake.run("CREATE SCHEMA \"a b\"");
    lake.run("CREATE TABLE \"a b\".\"t'\" (part INTEGER, i INTEGER)");
    lake.run("ALTER TABLE \"a b\".\"t'\" SET PARTITIONED BY (part)");
    for (int i = 0; i < 6; i++) {
      lake.run("INSERT INTO \"a b\".\"t'\" SELECT range %% 3, %d FROM range(60)".formatted(i));
    }
    lake.run("ALTER TABLE \"a b\".\"t'\" ADD COLUMN late VARCHAR DEFAULT 'x'");
    for (int i = 0; i < 6; i++) {
      lake.run("INSERT INTO \"a b\".\"t'\" SELECT range %% 3, %d, 'y' FROM range(60)".formatted(i));
    }
    String question =
        "SELECT part, late, count(*), sum(i) FROM \"a b\".\"t'\" GROUP BY ALL ORDER BY ALL";
    List<List<String>> rows = lake.rows(question);
    assertThat(done(lake.run(limits(WEEK)), Step.MERGE)).isEqualTo(36);
    assertThat(lake.rows(question)).isEqualTo(rows);
    assertThat(
            lake.value("SELECT count(*) FROM ducklake_list_files('lake', 't''', schema => 'a b')"))
        .isEqualTo("6");
  }

  @Test
  void aPassIsBoundedAndTheNextGoesOn() throws Exception {
    for (int table = 0; table < 4; table++) {
      lake.run("CREATE TABLE t%d (i INTEGER)".formatted(table));
      for (int i = 0; i < 3; i++) {
        lake.run("INSERT INTO t%d SELECT range FROM range(50)".formatted(table));
      }
    }
    var little =
        new Limits(
            Duration.ZERO,
            TestingMaintenance.TARGET_BYTES,
            Duration.ZERO,
            Duration.ZERO,
            new Limits.Amounts(1, 2, 2),
            new Limits.Amounts(2, 4, 4));
    Report first = lake.run(little);
    assertThat(done(first, Step.EXPIRE)).isEqualTo(4);
    assertThat(done(first, Step.MERGE)).isEqualTo(6);
    assertThat(first.hasMore()).isTrue();
    int passes = 1;
    while (lake.run(little).hasMore()) {
      passes++;
    }
    assertThat(passes).isLessThan(10);
    assertThat(onDisk()).isEqualTo(4);
  }
}
