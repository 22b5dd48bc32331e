package com.lokryn.ducklake.config;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/**
 * The settings in force: the command line's, then the file's or the environment's, then defaults.
 */
public final class ServerConfig {
  private final Map<String, Object> values;

  private ServerConfig(Map<String, Object> values) {
    this.values = Map.copyOf(values);
  }

  /**
   * Reads and checks everything, and reports all that is wrong at once.
   *
   * @param commandLine texts by key
   * @param file a properties file with the same keys
   * @param environment texts by variable
   */
  public static ServerConfig of(
      Map<String, String> commandLine, Optional<Path> file, Map<String, String> environment)
      throws ConfigException {
    var problems = new ArrayList<String>();
    Map<String, String> fromFile = file.isPresent() ? read(file.get(), problems) : Map.of();
    var values = new LinkedHashMap<String, Object>();
    for (Setting<?> setting : Settings.ALL) {
      String where = "the command line";
      String text = commandLine.get(setting.key());
      if (text == null && file.isPresent()) {
        where = file.get().toString();
        text = fromFile.get(setting.key());
      }
      if (text == null) {
        where = "the environment as " + setting.variable();
        text = environment.get(setting.variable());
      }
      if (text != null) {
        put(values, setting, text.strip(), where, problems);
      } else {
        setting.initial().ifPresent(initial -> values.put(setting.key(), initial));
      }
    }
    if (!problems.isEmpty()) {
      throw new ConfigException(problems);
    }
    return new ServerConfig(values);
  }

  /** The value of a setting that has a default. */
  public <T> T get(Setting<T> setting) {
    return find(setting).orElseThrow();
  }

  /** The value, if there is one. */
  public <T> Optional<T> find(Setting<T> setting) {
    @SuppressWarnings("unchecked")
    T value = (T) values.get(setting.key());
    return Optional.ofNullable(value);
  }

  private static void put(
      Map<String, Object> values,
      Setting<?> setting,
      String text,
      String where,
      List<String> problems) {
    try {
      values.put(setting.key(), setting.type().read(text));
    } catch (IllegalArgumentException e) {
      problems.add("%s (from %s) %s".formatted(setting.key(), where, e.getMessage()));
    }
  }

  private static Map<String, String> read(Path file, List<String> problems) {
    var properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      properties.load(reader);
    } catch (IOException | IllegalArgumentException e) {
      problems.add("the configuration file %s cannot be read".formatted(file));
    }
    var texts = new LinkedHashMap<String, String>();
    for (String key : properties.stringPropertyNames()) {
      if (Settings.byKey(key).isEmpty()) {
        problems.add(
            "%s has the unknown key %s; did you mean %s?".formatted(file, key, nearest(key)));
      } else {
        texts.put(key, properties.getProperty(key));
      }
    }
    return texts;
  }

  /** The key that takes the fewest changes to become. */
  static String nearest(String key) {
    return Settings.ALL.stream()
        .map(Setting::key)
        .min(Comparator.comparingInt(known -> distance(known, key)))
        .orElseThrow();
  }

  private static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(change, Math.min(previous[j], current[j - 1]) + 1);
      }
      previous = current;
    }
    return previous[b.length()];
  }
}
