package com.lokryn.ducklake.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The name of a table, with the catalog and schema it is in where they are given. */
public record TableName(Optional<String> catalog, Optional<String> schema, String table) {
  /** Reads {@code table}, {@code schema.table} or {@code catalog.schema.table}, quoted or not. */
  public static TableName parse(String text) {
    List<String> parts = parts(text);
    return switch (parts.size()) {
      case 1 -> new TableName(Optional.empty(), Optional.empty(), parts.get(0));
      case 2 -> new TableName(Optional.empty(), Optional.of(parts.get(0)), parts.get(1));
      case 3 -> new TableName(Optional.of(parts.get(0)), Optional.of(parts.get(1)), parts.get(2));
      default ->
          throw new IllegalArgumentException(
              "'%s' is no name of a table: it looks like table or schema.table".formatted(text));
    };
  }

  private static List<String> parts(String text) {
    var parts = new ArrayList<String>();
    var part = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' && quoted && i + 1 < text.length() && text.charAt(i + 1) == '"') {
        part.append(c);
        i++;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == '.' && !quoted) {
        parts.add(part.toString());
        part.setLength(0);
      } else {
        part.append(c);
      }
    }
    parts.add(part.toString());
    return parts.stream().anyMatch(String::isEmpty) ? List.of() : parts;
  }
}
