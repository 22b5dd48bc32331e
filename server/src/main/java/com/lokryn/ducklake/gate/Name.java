package com.lokryn.ducklake.gate;

import com.lokryn.ducklake.engine.SqlLexer;
import java.util.List;
import java.util.Optional;

/**
 * The name of a table, view or schema as a statement has it: one to three parts, as written. DuckDB
 * compares them without regard to case.
 */
record Name(List<String> parts) {
  static final String LAKE = "lake";
  static final String TEMPORARY = "temp";

  /** The catalog that shows what the server does. */
  static final String SERVER = "server";

  Name {
    parts = parts.stream().map(Name::fold).toList();
  }

  static Name of(String... parts) {
    return new Name(List.of(parts).stream().filter(part -> !part.isEmpty()).toList());
  }

  static String fold(String text) {
    return SqlLexer.fold(text);
  }

  String last() {
    return parts.getLast();
  }

  String first() {
    return parts.getFirst();
  }

  boolean isQualified() {
    return parts.size() > 1;
  }

  /** True when it can only be in the session's own temporary catalog. */
  boolean isTemporary() {
    return isQualified() && first().equals(TEMPORARY);
  }

  /** True when it is one of the server's own tables, or would be if there was one of that name. */
  boolean isOfServer() {
    return isQualified()
        && first().equals(SERVER)
        && (parts.size() == 2 || (parts.size() == 3 && parts.get(1).equals("main")));
  }

  /** The schema that it names; of {@code a.b} it may be a catalog too, whose schema is main. */
  Optional<String> schema() {
    return isQualified() ? Optional.of(parts.get(parts.size() - 2)) : Optional.empty();
  }

  /** As a text that shows where a part begins. */
  String text() {
    return String.join(".", parts);
  }
}
