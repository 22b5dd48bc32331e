package com.lokryn.ducklake.query;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The values bound to a statement: one list per row, in the order of the parameters' numbers. With
 * no row nothing was bound; with several the statement runs once for each.
 */
public record Parameters(List<List<@Nullable Object>> rows) {
  public static final Parameters NONE = new Parameters(List.of());

  boolean isMany() {
    return rows.size() > 1;
  }

  /** The rows to run with: a statement without parameters runs once. */
  List<List<@Nullable Object>> runs() {
    return rows.isEmpty() ? List.of(List.of()) : rows;
  }
}
