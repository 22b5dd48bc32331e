package com.lokryn.ducklake.observe;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Takes out of a text what belongs to the machine: its paths, and values that are secret. */
public final class Redaction {
  /** Words of statements that may hold a secret, among them those of addresses that are signed. */
  private static final Pattern SENSITIVE =
      Pattern.compile(
          "secret|passw|pwd|token|credential|key_id|access_?key|private_?key|api_?key|attach"
              + "|authorization|bearer|signature|://[^/\\s']*@",
          Pattern.CASE_INSENSITIVE);

  /** A text in quotes or between dollars; one that does not end goes to the end. */
  private static final Pattern VALUE =
      Pattern.compile("'(?:[^']|'')*(?:'|$)|\\$(\\w*)\\$.*?(?:\\$\\1\\$|$)", Pattern.DOTALL);

  /** What is between two quotes of a kind. */
  private static final Pattern QUOTED = Pattern.compile("(['\"]).*?\\1", Pattern.DOTALL);

  private final Map<String, String> replacements =
      new TreeMap<>(Comparator.comparingInt(String::length).reversed().thenComparing(s -> s));

  private Redaction(Map<String, String> replacements) {
    this.replacements.putAll(replacements);
  }

  /** Hides each path, and everything below it, under the name given to it. */
  public static Redaction ofPaths(Map<Path, String> names) {
    var replacements = new LinkedHashMap<String, String>();
    names.forEach(
        (path, name) -> {
          String text = path.toAbsolutePath().normalize().toString();
          if (text.length() > 1) {
            replacements.put(text, name);
          }
        });
    return new Redaction(replacements);
  }

  /**
   * A statement for the log: without paths, and without any of its values where one may be a
   * secret. Statements that take secrets are refused, which does not keep clients from sending
   * them.
   */
  public String statement(String sql) {
    String safe = SENSITIVE.matcher(sql).find() ? VALUE.matcher(sql).replaceAll("'***'") : sql;
    return apply(safe);
  }

  /** A text of someone else's, which may quote values of a statement, without them. */
  public static String withoutValues(String text) {
    return QUOTED.matcher(text).replaceAll("$1***$1");
  }

  public String apply(String text) {
    String redacted = text;
    for (var entry : replacements.entrySet()) {
      redacted = redacted.replace(entry.getKey(), entry.getValue());
    }
    return redacted;
  }
}
