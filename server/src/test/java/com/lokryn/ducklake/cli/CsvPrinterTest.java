package com.lokryn.ducklake.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CsvPrinterTest {
  private static String csv(String sql) {
    return Rows.print(sql, CsvPrinter::new);
  }

  @Test
  void headerAndRows() {
    assertThat(csv("SELECT 1 AS a, 'x' AS \"b,c\"")).isEqualTo("a,\"b,c\"\r\n1,x\r\n");
  }

  @Test
  void nullIsNothingAndEmptyTextIsQuoted() {
    assertThat(csv("SELECT NULL AS a, '' AS b, 'NULL' AS c")).isEqualTo("a,b,c\r\n,\"\",NULL\r\n");
  }

  @Test
  void separatorsQuotesAndLineEndsAreQuoted() {
    assertThat(csv("SELECT 'a,b' AS a, 'say \"hi\"' AS b, E'x\\ny' AS c, E'\\r' AS d"))
        .isEqualTo("a,b,c,d\r\n\"a,b\",\"say \"\"hi\"\"\",\"x\ny\",\"\r\"\r\n");
  }

  @Test
  void valuesAreWrittenAsDuckDbCastsThem() {
    assertThat(
            csv(
                "SELECT TIMESTAMP '2024-01-02 03:04:05.5' AS a, 1.50::DECIMAL(5,2) AS b, 1e10 AS c,"
                    + " true AS d, '\\x00a'::BLOB AS e, INTERVAL '14 months -1 hours' AS f"))
        .endsWith(
            "\r\n2024-01-02 03:04:05.5,1.50,10000000000.0,true,\\x00a,1 year 2 months -01:00:00\r\n");
  }

  @Test
  void controlCharactersStayWhatTheyAre() {
    assertThat(csv("SELECT chr(27) || '[31m' AS s")).isEqualTo("s\r\n\u001b[31m\r\n");
  }

  /** What is written is what DuckDB reads, with the types that the columns had. */
  @Test
  void duckDbReadsItAgain(@TempDir Path directory) throws Exception {
    String rows =
        """
        FROM (VALUES
          (1::TINYINT, -1.5::DOUBLE, 'a,"b"' || chr(10) || 'c', '\\x00\\xFFa'::BLOB, [1, NULL],
            {'k': 'it''s', 'l': DATE '2024-02-29'}, MAP {'a b': 1},
            TIMESTAMP '2024-01-01 00:00:00', TIMESTAMPTZ '2024-01-01 00:00:00.5+00',
            INTERVAL '14 months -3 hours', ['a, b', '', NULL, 'NULL'], true),
          (NULL, 'nan'::DOUBLE, '', ''::BLOB, [], NULL, MAP {}, NULL, NULL,
            INTERVAL '0 days', NULL, NULL),
          (3, '-inf'::DOUBLE, NULL, NULL, NULL, {'k': NULL, 'l': NULL}, NULL,
            TIMESTAMP '1969-12-31 23:59:59.999999', NULL, NULL, ['x'], false))
        t(i, f, s, b, l, st, m, ts, tz, iv, sl, bo)
        """;
    Path file = directory.resolve("rows.csv");
    Files.writeString(file, csv(rows));
    String read =
        """
        FROM read_csv('%s', allow_quoted_nulls = false, columns = {
          i: 'TINYINT', f: 'DOUBLE', s: 'VARCHAR', b: 'BLOB', l: 'INT[]',
          st: 'STRUCT(k VARCHAR, l DATE)', m: 'MAP(VARCHAR, INT)', ts: 'TIMESTAMP',
          tz: 'TIMESTAMPTZ', iv: 'INTERVAL', sl: 'VARCHAR[]', bo: 'BOOLEAN'})
        """
            .formatted(file);
    assertThat(csv("SELECT count(*) AS n FROM ((%s) INTERSECT (%s))".formatted(rows, read)))
        .isEqualTo("n\r\n3\r\n");
  }
}
