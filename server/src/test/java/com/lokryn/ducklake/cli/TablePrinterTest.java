package com.lokryn.ducklake.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class TablePrinterTest {
  private static String table(String sql) {
    return Rows.print(sql, out -> new TablePrinter(out, OptionalInt.empty()));
  }

  @Test
  void controlCharactersAreShownAndNotSent() {
    assertThat(table("SELECT E'a\\nb\\r\\tc' || chr(27) || '[31m' || chr(155) || chr(8238) AS s"))
        .contains("a\\nb\\r\\tc\\u001b[31m\\u009b\\u202e")
        .doesNotContain("\u001b");
  }

  @Test
  void namesOfColumnsAreShownTheSameWay() {
    assertThat(table("SELECT 1 AS \"a\u001b[2J\"")).startsWith("a\\u001b[2J\n");
  }

  @Test
  void enumsAreText() {
    assertThat(table("SELECT 'ok'::ENUM('no', 'ok') AS e, ['no']::ENUM('no', 'ok')[] AS l"))
        .contains("ok | [no]");
  }

  @Test
  void emptyResultHasItsHeader() {
    assertThat(table("SELECT 1 AS a WHERE false")).isEqualTo("a\n-\n(0 rows)\n");
  }
}
