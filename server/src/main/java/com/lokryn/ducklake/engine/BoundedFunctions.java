package com.lokryn.ducklake.engine;

import java.util.List;
import java.util.Set;

/**
 * Functions that make a value of any size from a few letters. DuckDB counts no such value against
 * its memory limit, and is not to be stopped while it makes one ({@code len(range(100000000))} took
 * 9 GB, DuckDB 1.5.5); so temporary macros of their names stand before them in each connection, and
 * refuse what is too much. They do so in views and macros too. As functions in the place of a table
 * the same names make rows, not a value, and stay as they are.
 */
public final class BoundedFunctions {
  /** Their names: nobody else's macro may have them. */
  public static final Set<String> NAMES = Set.of("range", "generate_series", "repeat");

  private static final int MAX_ELEMENTS = 1_000_000;
  private static final int MAX_BYTES = 64 << 20;

  private BoundedFunctions() {}

  /** The statements that put them into a connection. */
  static List<String> statements() {
    return List.of(list("range"), list("generate_series"), repeat());
  }

  private static String list(String name) {
    String refusal =
        "error('%s() makes a list of at most %d elements: in FROM, it makes as many rows as wanted')"
            .formatted(name, MAX_ELEMENTS);
    String numbers = "CASE WHEN %s > " + MAX_ELEMENTS + " THEN " + refusal + " ELSE %s END";
    String times = "(epoch(b) - epoch(a)) / nullif(epoch(s), 0)";
    return "CREATE TEMP MACRO "
        + name
        + "(b BIGINT) AS "
        + numbers.formatted("b", call(name, "b"))
        + ", (a BIGINT, b BIGINT) AS "
        + numbers.formatted("b::HUGEINT - a", call(name, "a, b"))
        + ", (a BIGINT, b BIGINT, s BIGINT) AS "
        + numbers.formatted("(b::HUGEINT - a) / nullif(s, 0)", call(name, "a, b, s"))
        + ", (a TIMESTAMP, b TIMESTAMP, s INTERVAL) AS "
        + numbers.formatted(times, call(name, "a, b, s"))
        + ", (a TIMESTAMPTZ, b TIMESTAMPTZ, s INTERVAL) AS "
        + numbers.formatted(times, call(name, "a, b, s"));
  }

  private static String repeat() {
    String bound =
        "CASE WHEN %s(a)::HUGEINT * n > %d THEN error('repeat() makes at most %d %s') ELSE "
            + call("repeat", "a, n")
            + " END";
    return "CREATE TEMP MACRO repeat(a VARCHAR, n BIGINT) AS "
        + bound.formatted("strlen", MAX_BYTES, MAX_BYTES, "bytes")
        + ", (a BLOB, n BIGINT) AS "
        + bound.formatted("octet_length", MAX_BYTES, MAX_BYTES, "bytes")
        + ", (a, n) AS "
        + bound.formatted("len", MAX_ELEMENTS, MAX_ELEMENTS, "elements");
  }

  private static String call(String name, String arguments) {
    return "system.main.%s(%s)".formatted(name, arguments);
  }
}
