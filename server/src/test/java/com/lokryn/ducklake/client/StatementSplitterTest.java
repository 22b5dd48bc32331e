package com.lokryn.ducklake.client;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StatementSplitterTest {
  @Test
  void cutsAtSemicolonsButThoseInTexts() {
    assertThat(
            StatementSplitter.split(
                "SELECT ';' AS a; -- b; c\n/* d; /* e; */ */ SELECT $x$;$x$, E'\\';';;"))
        .containsExactly("SELECT ';' AS a", "-- b; c\n/* d; /* e; */ */ SELECT $x$;$x$, E'\\';'");
  }

  @ParameterizedTest
  @CsvSource({
    "DELETE FROM t, delete",
    "' -- SELECT\n /* INSERT */ Update t', update",
    "'(SELECT 1)', ''",
    "'', ''"
  })
  void firstWordIsAfterSpaceAndComments(String statement, String word) {
    assertThat(StatementSplitter.firstWord(statement)).isEqualTo(word);
  }
}
