package com.lokryn.ducklake.access;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What someone may do with which tables and views of the lake; with all others nothing. It narrows
 * a role and gives nothing that the role does not.
 */
public final class Grants {
  private static final String ANY = "*";
  private static final String ALL = "all";

  /** By schema and table in lower case, as DuckDB compares names; a table may be {@code *}. */
  private final Map<List<String>, Set<Privilege>> byTable;

  private Grants(Map<List<String>, Set<Privilege>> byTable) {
    this.byTable = Map.copyOf(byTable);
  }

  /**
   * Reads grants as they are written: the table as {@code schema.table} or {@code schema.*}, the
   * privileges with {@code |} between them, or {@code all}.
   *
   * @throws IllegalArgumentException with what is wrong
   */
  public static Grants parse(Map<String, String> written) {
    var byTable = new LinkedHashMap<List<String>, Set<Privilege>>();
    written.forEach((table, privileges) -> byTable.put(table(table), privileges(privileges)));
    return new Grants(byTable);
  }

  private static List<String> table(String text) {
    int dot = text.indexOf('.');
    if (dot <= 0 || dot == text.length() - 1) {
      throw new IllegalArgumentException(
          "has a grant for something that is neither schema.table nor schema.*");
    }
    return List.of(fold(text.substring(0, dot)), fold(text.substring(dot + 1)));
  }

  private static Set<Privilege> privileges(String text) {
    Set<Privilege> privileges = EnumSet.noneOf(Privilege.class);
    for (String name : text.split("\\|", -1)) {
      String known = fold(name.strip());
      if (known.equals(ALL)) {
        privileges.addAll(Arrays.asList(Privilege.values()));
      } else {
        privileges.add(
            Privilege.of(known)
                .orElseThrow(
                    () ->
                        new IllegalArgumentException(
                            "has a grant that is none of select, insert, update, delete, alter,"
                                + " all")));
      }
    }
    return privileges;
  }

  /** Whether a table or view may be used so. */
  public boolean allow(Privilege privilege, String schema, String table) {
    return has(privilege, schema, table) || has(privilege, schema, ANY);
  }

  /** Whether it may be used in any way: one who may not does not see that it is there. */
  public boolean show(String schema, String table) {
    return byTable.containsKey(List.of(fold(schema), fold(table)))
        || byTable.containsKey(List.of(fold(schema), ANY));
  }

  /** Whether something in a schema may be used. */
  public boolean show(String schema) {
    return byTable.keySet().stream().anyMatch(table -> table.getFirst().equals(fold(schema)));
  }

  private boolean has(Privilege privilege, String schema, String table) {
    return byTable.getOrDefault(List.of(fold(schema), fold(table)), Set.of()).contains(privilege);
  }

  /** As DuckDB compares names: letters beyond ASCII stay what they are. */
  private static String fold(String name) {
    return name.chars()
        .map(c -> c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Grants grants && grants.byTable.equals(byTable);
  }

  @Override
  public int hashCode() {
    return byTable.hashCode();
  }
}
