package com.lokryn.ducklake.query;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.query.TableFiles.File;
import java.sql.DriverManager;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** How files are put into groups. */
class TableFilesTest {
  private static TableFiles files(long... bytes) {
    return new TableFiles(
        IntStream.range(0, bytes.length)
            .mapToObj(i -> new File("%032x".formatted(i * 3), bytes[i]))
            .toList());
  }

  private static List<Long> sizes(TableFiles files, int groups) {
    return IntStream.range(0, groups)
        .mapToObj(
            group ->
                files.files().stream()
                    .filter(file -> isIn(files.condition(group, groups), file.hash()))
                    .mapToLong(File::bytes)
                    .sum())
        .toList();
  }

  /** As the conditions are written. */
  private static boolean isIn(String condition, String hash) {
    String[] parts = condition.split("'", -1);
    if (condition.endsWith("IS NOT TRUE")) {
      return hash.compareTo(parts[1]) < 0;
    }
    return hash.compareTo(parts[1]) >= 0 && (parts.length < 4 || hash.compareTo(parts[3]) < 0);
  }

  @Test
  void groupsAreAboutEquallyLarge() {
    assertThat(sizes(files(10, 10, 10, 10, 10, 10, 10, 10), 4)).containsExactly(20L, 20L, 20L, 20L);
    assertThat(sizes(files(100, 1, 1, 1), 2)).containsExactly(100L, 3L);
    assertThat(sizes(files(1, 1, 1, 100), 2)).containsExactly(3L, 100L);
    assertThat(sizes(files(0, 0, 0), 3)).containsExactly(0L, 0L, 0L);
  }

  @Test
  void eachFileIsInOneAndNoGroupIsEmpty() {
    var random = new Random(7);
    for (int i = 0; i < 500; i++) {
      int number = 2 + random.nextInt(100);
      int groups = 2 + random.nextInt(Math.min(number, Session.MAX_PARTITIONS) - 1);
      TableFiles files =
          files(
              random.longs(number, 0, random.nextBoolean() ? 10 : Long.MAX_VALUE >> 20).toArray());
      for (File file : files.files()) {
        assertThat(
                IntStream.range(0, groups)
                    .filter(group -> isIn(files.condition(group, groups), file.hash())))
            .hasSize(1);
      }
      assertThat(IntStream.range(0, groups))
          .allMatch(
              group ->
                  files.files().stream()
                      .anyMatch(file -> isIn(files.condition(group, groups), file.hash())));
    }
  }

  /** Rows that are of no file as well, whatever is known of the files. */
  @Test
  void eachRowMeetsOneCondition() throws Exception {
    TableFiles files = files(5, 5, 5, 5, 5);
    String sum =
        String.join(
            " + ",
            IntStream.range(0, 3)
                .mapToObj(
                    group -> "coalesce((%s), false)::INTEGER".formatted(files.condition(group, 3)))
                .toList());
    try (var connection = DriverManager.getConnection("jdbc:duckdb:");
        var statement = connection.createStatement();
        var rows =
            statement.executeQuery(
                "SELECT count(*) FROM (SELECT 'f' || i AS filename FROM range(1000) r(i) UNION ALL SELECT NULL) WHERE %s <> 1"
                    .formatted(sum))) {
      rows.next();
      assertThat(rows.getLong(1)).isZero();
    }
  }

  @Test
  void theDigestIsOfAllThatMatters() {
    var file = new File("a", 1);
    assertThat(
            Stream.of(
                    List.of(file),
                    List.of(file, file),
                    List.of(new File("b", 1)),
                    List.of(new File("a", 2)),
                    List.<File>of())
                .map(files -> new TableFiles(files).digest()))
        .doesNotHaveDuplicates();
  }
}
