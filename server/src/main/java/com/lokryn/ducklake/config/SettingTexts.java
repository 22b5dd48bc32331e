package com.lokryn.ducklake.config;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/** The texts of settings in one place: a file, the environment. It shows none of them. */
final class SettingTexts {
  private static final Pattern PLAIN_KEY = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

  private final Map<String, String> texts;
  private final Set<String> faulty;
  private final Function<Setting<?>, String> where;
  private final boolean secret;

  /**
   * @param texts by key
   * @param faulty keys that are there, but with a problem that is known
   * @param where how to name the place
   * @param secret is that place the secret?
   */
  private SettingTexts(
      Map<String, String> texts,
      Set<String> faulty,
      Function<Setting<?>, String> where,
      boolean secret) {
    this.texts = Map.copyOf(texts);
    this.faulty = Set.copyOf(faulty);
    this.where = where;
    this.secret = secret;
  }

  static SettingTexts commandLine(Map<String, String> texts) {
    return new SettingTexts(texts, Set.of(), _ -> "the command line", false);
  }

  /** Variables that are empty count as not set: that is how most tools leave one out. */
  static SettingTexts environment(Map<String, String> variables) {
    var texts = new LinkedHashMap<String, String>();
    for (Setting<?> setting : Settings.ALL) {
      String text = variables.get(setting.variable());
      if (text != null && !text.isBlank()) {
        texts.put(setting.key(), text);
      }
    }
    return new SettingTexts(
        texts, Set.of(), setting -> "the environment as " + setting.variable(), false);
  }

  /** Reads a file of properties; what is wrong with its keys goes to the problems. */
  static SettingTexts file(Path file, List<String> problems) {
    var properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      properties.load(reader);
    } catch (IOException | IllegalArgumentException e) {
      // Not the exception's text: it may repeat a part of the file.
      problems.add(
          "the configuration file %s cannot be read: give a properties file in UTF-8"
              .formatted(file));
    }
    var texts = new LinkedHashMap<String, String>();
    for (String key : properties.stringPropertyNames()) {
      texts.put(key, properties.getProperty(key));
    }
    return of(texts, Set.of(), file.toString(), false, problems);
  }

  /**
   * Takes the texts of the secret; keys that are not known there go to the problems.
   *
   * @param faulty keys whose texts are left out, with their problem reported already
   */
  static SettingTexts secret(
      Map<String, String> given, Set<String> faulty, String place, List<String> problems) {
    return of(given, faulty, place, true, problems);
  }

  private static SettingTexts of(
      Map<String, String> given,
      Set<String> faulty,
      String place,
      boolean secret,
      List<String> problems) {
    var texts = new LinkedHashMap<String, String>();
    var bad = new HashSet<>(faulty);
    given.forEach(
        (key, text) -> {
          Optional<String> problem = keyProblem(key, place);
          if (problem.isEmpty()) {
            texts.put(key, text);
          } else {
            problems.add(problem.get());
            bad.add(key.toLowerCase(Locale.ROOT));
          }
        });
    return new SettingTexts(texts, bad, _ -> place, secret);
  }

  /** What is wrong with a key in a file or a secret. */
  static Optional<String> keyProblem(String key, String place) {
    Optional<Setting<?>> known = Settings.byKey(key);
    if (known.isPresent()) {
      return known
          .filter(Setting::outside)
          .map(
              setting ->
                  "%s has the key %s, which only the environment (%s) and the command line may give: take it out"
                      .formatted(place, key, setting.variable()));
    }
    String lower = key.toLowerCase(Locale.ROOT);
    if (Settings.byKey(lower).isPresent()) {
      return Optional.of(
          "%s has the key %s: keys are in lower case, write %s".formatted(place, key, lower));
    }
    // A text that was pasted into the wrong place must not be repeated.
    String name =
        PLAIN_KEY.matcher(key).matches()
            ? key
            : "(a name of %d characters)".formatted(key.length());
    return Optional.of(
        "%s has the unknown key %s; did you mean %s?"
            .formatted(place, name, Settings.nearest(lower)));
  }

  Optional<String> find(Setting<?> setting) {
    return Optional.ofNullable(texts.get(setting.key()));
  }

  /** Does it have the setting, be it in a form that was refused? */
  boolean mentions(Setting<?> setting) {
    return texts.containsKey(setting.key()) || faulty.contains(setting.key());
  }

  /** Is it the secret, which nobody but its keeper reads? */
  boolean isSecret() {
    return secret;
  }

  /** How to name the place where it has a setting. */
  String where(Setting<?> setting) {
    return where.apply(setting);
  }

  @Override
  public String toString() {
    return "SettingTexts" + texts.keySet();
  }
}
