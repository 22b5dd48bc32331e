package com.lokryn.ducklake.engine;

/** Quoting for the statements the server writes itself. */
public final class Sql {
  private Sql() {}

  /** A name as an SQL identifier. */
  public static String identifier(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  /** A text as an SQL string. */
  public static String literal(String text) {
    return '\'' + text.replace("'", "''") + '\'';
  }
}
