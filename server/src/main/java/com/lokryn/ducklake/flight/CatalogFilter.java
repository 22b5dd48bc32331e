package com.lokryn.ducklake.flight;

import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;

/**
 * Conditions on names of the catalog, with their values. Names match as SQL finds them: whatever
 * the case of their letters. An empty text is not an absent one: it asks for what has no catalog or
 * schema, and everything has both.
 */
final class CatalogFilter {
  private final StringJoiner conditions = new StringJoiner(" AND ", " WHERE ", "");
  private final List<Object> values = new ArrayList<>();

  CatalogFilter(String condition) {
    conditions.add(condition);
  }

  /**
   * A pattern of LIKE with a backslash as escape. A name always matches itself: the ADBC driver
   * asks for the schema of a table by its name and escapes nothing.
   */
  CatalogFilter like(String column, boolean given, String pattern) {
    if (given) {
      conditions.add("(%1$s ILIKE ? ESCAPE '\\' OR lower(%1$s) = lower(?))".formatted(column));
      values.add(complete(pattern));
      values.add(pattern);
    }
    return this;
  }

  CatalogFilter equal(String column, boolean given, String value) {
    if (given) {
      conditions.add("lower(%s) = lower(?)".formatted(column));
      values.add(value);
    }
    return this;
  }

  CatalogFilter oneOf(String column, List<String> wanted) {
    if (!wanted.isEmpty()) {
      conditions.add(column + " IN (" + "?, ".repeat(wanted.size() - 1) + "?)");
      values.addAll(wanted);
    }
    return this;
  }

  String sql() {
    return conditions.toString();
  }

  Object[] parameters() {
    return values.toArray();
  }

  /** A backslash at the end escapes nothing, which DuckDB refuses: it stands for itself. */
  private static String complete(String pattern) {
    int backslashes = 0;
    while (backslashes < pattern.length()
        && pattern.charAt(pattern.length() - 1 - backslashes) == '\\') {
      backslashes++;
    }
    return backslashes % 2 == 0 ? pattern : pattern + '\\';
  }
}
