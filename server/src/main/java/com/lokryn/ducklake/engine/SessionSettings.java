package com.lokryn.ducklake.engine;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * DuckDB's settings that a client may change for its own session: how its statements are read, and
 * what their results look like. None of them reaches a file or a host, takes more memory, or is
 * felt by others: a plain SET changes them for its connection only, which is not so for others that
 * might be wished for ({@code default_order}, {@code default_null_order}, {@code
 * default_collation}), and {@link SqlText#isForTheServerOnly} refuses SET GLOBAL.
 */
public final class SessionSettings {
  /** Their names, in DuckDB's own case. */
  public static final List<String> NAMES =
      List.of(
          "explain_output",
          "ieee_floating_point_ops",
          "integer_division",
          "order_by_non_integer_literal",
          "pivot_filter_threshold",
          "pivot_limit",
          "preserve_identifier_case",
          "scalar_subquery_error_on_multiple_rows");

  /**
   * What the server itself sets in a connection, and DuckDB: it makes a transaction of several
   * statements of an {@code ALTER TABLE … ADD COLUMN} with a default that is computed, the last of
   * these settings among them.
   */
  private static final List<String> OWN =
      List.of(
          "enable_progress_bar",
          "enable_progress_bar_print",
          "streaming_buffer_size",
          "current_transaction_invalidation_policy");

  /** Those of the server's that say nothing of its machine or its secrets. */
  private static final List<String> SHOWN =
      List.of(
          "calendar",
          "default_null_order",
          "default_order",
          "max_memory",
          "memory_limit",
          "schema",
          "search_path",
          "threads",
          "timezone",
          "worker_threads");

  private SessionSettings() {}

  /** May {@code current_setting} show it? */
  public static boolean isShown(String name) {
    return isAllowed(name) || SHOWN.contains(name.toLowerCase(Locale.ROOT));
  }

  public static boolean isAllowed(String name) {
    return NAMES.contains(name.toLowerCase(Locale.ROOT));
  }

  /** The statement after which they can be set, in a configuration that is locked. */
  public static String allow() {
    return Stream.concat(NAMES.stream(), OWN.stream())
        .map(Sql::literal)
        .collect(Collectors.joining(", ", "SET GLOBAL allowed_configs=[", "]"));
  }
}
