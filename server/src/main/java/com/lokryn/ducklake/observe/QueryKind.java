package com.lokryn.ducklake.observe;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** What a statement does, in so few words that each can be a label of a metric. */
public enum QueryKind {
  SELECT("select", "with", "from", "values", "table", "pivot", "unpivot", "execute"),
  SHOW("show", "describe", "desc", "summarize", "pragma"),
  EXPLAIN("explain", "analyze"),
  INSERT("insert"),
  UPDATE("update"),
  DELETE("delete", "truncate"),
  MERGE("merge"),
  CREATE("create"),
  ALTER("alter", "comment"),
  DROP("drop"),
  COPY("copy"),
  INGEST("ingest"),
  TRANSACTION("begin", "start", "commit", "end", "rollback", "abort"),
  SESSION("use", "set", "reset", "prepare", "deallocate", "kill"),
  CALL("call", "checkpoint", "vacuum"),
  /** What begins with none of these words. */
  OTHER;

  private static final Map<String, QueryKind> BY_VERB = byVerb();

  @SuppressWarnings("ImmutableEnumChecker") // nobody has the array but this
  private final String[] verbs;

  private final String label = name().toLowerCase(Locale.ROOT);

  QueryKind(String... verbs) {
    this.verbs = verbs;
  }

  private static Map<String, QueryKind> byVerb() {
    var kinds = new HashMap<String, QueryKind>();
    for (QueryKind kind : values()) {
      for (String verb : kind.verbs) {
        kinds.put(verb, kind);
      }
    }
    // What begins with a parenthesis is a query.
    kinds.put("", SELECT);
    return Map.copyOf(kinds);
  }

  /** The kind of what begins with a word, in lower case. */
  public static QueryKind of(String verb) {
    return BY_VERB.getOrDefault(verb, OTHER);
  }

  /** The name in metrics, logs and traces. */
  public String label() {
    return label;
  }
}
