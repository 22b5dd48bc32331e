package com.lokryn.ducklake.config;

import com.lokryn.ducklake.config.Setting.Need;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The settings in force. It shows no values. */
public final class ServerConfig {
  private final Map<String, Object> values;

  private ServerConfig(Map<String, Object> values) {
    this.values = Map.copyOf(values);
  }

  /**
   * The settings of a local server: the command line's, then the file's, then the environment's,
   * then defaults. What only a server in production needs is not looked at. Reads and checks
   * everything, and reports all that is wrong at once. {@link Cascade} does the same for
   * production.
   *
   * @param commandLine texts by key
   * @param file a properties file with the same keys
   * @param environment texts by variable
   */
  public static ServerConfig of(
      Map<String, String> commandLine, Optional<Path> file, Map<String, String> environment)
      throws ConfigException {
    var problems = new ArrayList<String>();
    var layers = new ArrayList<SettingTexts>();
    layers.add(SettingTexts.commandLine(commandLine));
    file.ifPresent(path -> layers.add(SettingTexts.file(path, problems)));
    layers.add(SettingTexts.environment(environment));
    var values = new LinkedHashMap<String, Object>();
    for (Setting<?> setting : Settings.ALL) {
      if (setting.need() == Need.ANYWHERE) {
        put(values, setting, layers, problems);
      }
    }
    problems.addAll(
        Settings.lonely(
            setting ->
                setting.need() == Need.ANYWHERE
                    && layers.stream().anyMatch(layer -> layer.mentions(setting))));
    return checked(values, problems);
  }

  /**
   * The settings of a server in production.
   *
   * @param required where the required ones may come from, the first place first
   * @param others where all others may come from
   * @param problems what is wrong already
   * @throws ConfigException with these problems, and all that are found here
   */
  static ServerConfig of(
      List<SettingTexts> required, List<SettingTexts> others, List<String> problems)
      throws ConfigException {
    var values = new LinkedHashMap<String, Object>();
    for (Setting<?> setting : Settings.ALL) {
      put(values, setting, setting.need() == Need.REQUIRED ? required : others, problems);
    }
    problems.addAll(
        Settings.lonely(setting -> others.stream().anyMatch(layer -> layer.mentions(setting))));
    return checked(values, problems);
  }

  /** None at all, where no source could be read. */
  public static ServerConfig empty() {
    return new ServerConfig(Map.of());
  }

  /** The value of a setting that has a default or is required. */
  public <T> T get(Setting<T> setting) {
    return find(setting).orElseThrow();
  }

  /** The value, if there is one. */
  public <T> Optional<T> find(Setting<T> setting) {
    @SuppressWarnings("unchecked")
    T value = (T) values.get(setting.key());
    return Optional.ofNullable(value);
  }

  @Override
  public String toString() {
    return "ServerConfig" + values.keySet();
  }

  private static ServerConfig checked(Map<String, Object> values, List<String> problems)
      throws ConfigException {
    var config = new ServerConfig(values);
    if (!problems.isEmpty()) {
      throw new ConfigException(problems, config);
    }
    return config;
  }

  private static <T> void put(
      Map<String, Object> values,
      Setting<T> setting,
      List<SettingTexts> layers,
      List<String> problems) {
    for (SettingTexts layer : layers) {
      Optional<String> text = layer.find(setting);
      if (text.isPresent()) {
        try {
          T value = setting.read(text.get());
          values.put(setting.key(), value);
          if (!layer.isSecret() && setting.type().isForSecretsOnly(value)) {
            problems.add(
                "%s (from %s) has a password in clear, which only the secret may have: write password_hash"
                    .formatted(setting.key(), layer.where(setting)));
          }
        } catch (IllegalArgumentException e) {
          problems.add(
              "%s (from %s) %s".formatted(setting.key(), layer.where(setting), e.getMessage()));
        }
        return;
      }
    }
    setting.initial().ifPresent(initial -> values.put(setting.key(), initial));
  }
}
