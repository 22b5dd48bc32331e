package com.lokryn.ducklake.config;

import java.util.Locale;
import java.util.Optional;

/**
 * One setting: flag, environment variable, key of a file, help and check in one place.
 *
 * @param key the lower-case name; upper case in the environment, with dashes as a flag
 * @param type how its text is read
 * @param initial its value where none was given; empty where there is none
 * @param initialText how the help names that value
 * @param help what it does
 */
public record Setting<T>(
    String key, ValueType<T> type, Optional<T> initial, String initialText, String help) {

  static <T> Setting<T> of(
      String key, ValueType<T> type, T initial, String initialText, String help) {
    return new Setting<>(key, type, Optional.of(initial), initialText, help);
  }

  static <T> Setting<T> optional(String key, ValueType<T> type, String initialText, String help) {
    return new Setting<>(key, type, Optional.empty(), initialText, help);
  }

  /** The name of its environment variable. */
  public String variable() {
    return key.toUpperCase(Locale.ROOT);
  }
}
