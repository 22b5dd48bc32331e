package com.lokryn.ducklake.observe;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** Takes out of a text what belongs to the machine: its paths, and values that are secret. */
public final class Redaction {
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

  public String apply(String text) {
    String redacted = text;
    for (var entry : replacements.entrySet()) {
      redacted = redacted.replace(entry.getKey(), entry.getValue());
    }
    return redacted;
  }
}
