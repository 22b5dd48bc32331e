package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Sql;
import com.lokryn.ducklake.gate.TableScan;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * The files of a table in a snapshot, in the order of the hashes of their names, so that files of
 * one day or partition are spread over all groups.
 *
 * @param files each with its hash
 */
record TableFiles(List<File> files) {
  /** A file as far as it matters here. */
  record File(String hash, long bytes) {}

  /** The column that tells of which file a row is. */
  static final String NAME_COLUMN = "filename";

  private static final String NAME = "system.main.md5(\"%s\")".formatted(NAME_COLUMN);

  /**
   * Asks for them.
   *
   * @param most there is no need to know of more
   */
  static TableFiles of(TableScan scan, long snapshot, int most, EngineConnection connection)
      throws EngineException {
    // Functions go by their whole names, since the catalog could have macros that are called so.
    // Only hashes of names leave the engine.
    String sql =
        ("SELECT system.main.md5(data_file), data_file_size_bytes"
                + " FROM system.main.ducklake_list_files("
                + "'lake', %s, schema => %s, snapshot_version => %d) ORDER BY 1, 2 LIMIT %d")
            .formatted(Sql.literal(scan.table()), Sql.literal(scan.schema()), snapshot, most);
    return new TableFiles(
        connection.rows(sql).stream()
            .map(row -> new File(row.get(0), Long.parseLong(row.get(1))))
            .toList());
  }

  int size() {
    return files.size();
  }

  /**
   * The same for the same files only. What was deleted of them is not in it: DuckLake may write it
   * anew for old snapshots too, with the same meaning there, when more is deleted.
   */
  String digest() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (File file : files) {
        digest.update(
            "%s %d\n".formatted(file.hash, file.bytes).getBytes(StandardCharsets.US_ASCII));
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * The condition on rows to be in a group. Of all conditions for a number of groups each row meets
   * one, whatever the files are, with that of a file or of inlined rows, or none: the groups are
   * ranges of hashes, next to each other. DuckLake leaves out the files whose names do not meet it.
   */
  String condition(int number, int of) {
    List<String> cuts = cuts(of);
    var condition = new StringBuilder();
    if (number == 0) {
      // Of a row that has no name too.
      condition.append("(%s >= '%s') IS NOT TRUE".formatted(NAME, cuts.get(0)));
    } else {
      condition.append("%s >= '%s'".formatted(NAME, cuts.get(number - 1)));
      if (number < of - 1) {
        condition.append(" AND %s < '%s'".formatted(NAME, cuts.get(number)));
      }
    }
    return condition.toString();
  }

  /**
   * The hash with which each group but the first begins, so that groups are about as large as each
   * other, and none is without a file.
   */
  private List<String> cuts(int groups) {
    long total = files.stream().mapToLong(File::bytes).sum();
    var cuts = new ArrayList<String>(groups - 1);
    long before = 0;
    int file = 0;
    for (int group = 1; group < groups; group++) {
      int last = files.size() - (groups - group);
      do {
        before += files.get(file++).bytes;
      } while (file < last && before + files.get(file).bytes / 2 <= total / groups * group);
      cuts.add(files.get(file).hash);
    }
    return cuts;
  }
}
