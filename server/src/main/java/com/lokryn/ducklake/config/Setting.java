package com.lokryn.ducklake.config;

import java.util.Locale;
import java.util.Optional;

/**
 * One setting: flag, environment variable, key of a file or a secret, help and check in one place.
 *
 * @param key the lower-case name; upper case in the environment, with dashes as a flag
 * @param type how its text is read
 * @param initial its value where none was given; empty where there is none
 * @param initialText how the help names that value
 * @param help what it does
 * @param secret is its value never to be shown?
 * @param need who needs it
 * @param outside does it come from the command line or the environment only, never from a file or
 *     the secret?
 */
public record Setting<T>(
    String key,
    ValueType<T> type,
    Optional<T> initial,
    String initialText,
    String help,
    boolean secret,
    Need need,
    boolean outside) {

  /** Which servers look at a setting. */
  public enum Need {
    /** Every server, if it is set. */
    ANYWHERE,
    /** A server in production, if it is set. A local one does not look at it. */
    PRODUCTION,
    /** A server in production does not start without it. */
    REQUIRED
  }

  static <T> Setting<T> of(
      String key, ValueType<T> type, T initial, String initialText, String help) {
    return new Setting<>(
        key, type, Optional.of(initial), initialText, help, false, Need.ANYWHERE, false);
  }

  static <T> Setting<T> optional(String key, ValueType<T> type, String initialText, String help) {
    return new Setting<>(
        key, type, Optional.empty(), initialText, help, false, Need.ANYWHERE, false);
  }

  /** A setting without which a server in production does not start. */
  static <T> Setting<T> required(String key, ValueType<T> type, String help) {
    return new Setting<>(
        key,
        type,
        Optional.empty(),
        "required; not with --local",
        help,
        false,
        Need.REQUIRED,
        false);
  }

  /** The same, with a value that is never shown. */
  Setting<T> hidden() {
    return new Setting<>(key, type, initial, initialText, help, true, need, outside);
  }

  /** The same, for servers in production only. */
  Setting<T> inProduction() {
    return new Setting<>(key, type, initial, initialText, help, secret, Need.PRODUCTION, outside);
  }

  /** The same, from the command line and the environment only. */
  Setting<T> outsideOfSources() {
    return new Setting<>(key, type, initial, initialText, help, secret, need, true);
  }

  /** The name of its environment variable. */
  public String variable() {
    return key.toUpperCase(Locale.ROOT);
  }

  /** The name of its flag. */
  public String flag() {
    return "--" + key.replace('_', '-');
  }

  /**
   * Reads a text.
   *
   * @throws IllegalArgumentException with a sentence that goes on from the key; of a secret it says
   *     nothing that comes from the text
   */
  T read(String text) {
    if (text.isBlank()) {
      throw new IllegalArgumentException("is empty");
    }
    try {
      // A password may begin or end with a space.
      return type.read(secret ? text : text.strip());
    } catch (SecretTextException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw secret ? new IllegalArgumentException("cannot be read: it is " + help) : e;
    }
  }

  /** What is wrong with a secret, in a sentence that holds nothing of it. */
  static final class SecretTextException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    SecretTextException(String sentence) {
      super(sentence);
    }
  }
}
