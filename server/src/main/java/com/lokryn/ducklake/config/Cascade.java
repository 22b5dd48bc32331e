package com.lokryn.ducklake.config;

import com.lokryn.ducklake.config.Setting.Need;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the configuration of a server in production.
 *
 * <p>The required settings come from one source, so that no user of one lake meets the password of
 * another: a file that has any of them; else the secret, where it is there and may be read; else
 * the environment. A source that was chosen and is not right is an error: the next one is not
 * tried. The command line goes before each source. All other settings come from the command line,
 * the file, the secret if it was chosen, the environment, and defaults, in this order.
 */
public final class Cascade {
  private static final Logger LOG = LoggerFactory.getLogger(Cascade.class);

  private final SecretSource secrets;
  private final Map<String, String> environment;
  private final Consumer<String> lines;

  /**
   * @param secrets asked at most once, and not at all where a file is the source
   * @param environment texts by variable
   * @param lines takes what the program tells of its start, line by line
   */
  public Cascade(SecretSource secrets, Map<String, String> environment, Consumer<String> lines) {
    this.secrets = secrets;
    this.environment = Map.copyOf(environment);
    this.lines = lines;
  }

  /**
   * Reads and checks everything.
   *
   * @param commandLine texts by key
   * @param file a properties file with the same keys
   * @throws ConfigException with all that is wrong
   * @throws StartException when Secrets Manager is there but does not work
   */
  public ServerConfig read(Map<String, String> commandLine, Optional<Path> file)
      throws ConfigException, StartException {
    var problems = new ArrayList<String>();
    SettingTexts flags = SettingTexts.commandLine(commandLine);
    SettingTexts variables = SettingTexts.environment(environment);
    Optional<SettingTexts> fileTexts = file.map(path -> SettingTexts.file(path, problems));
    if (fileTexts.isPresent() && required().anyMatch(fileTexts.get()::mentions)) {
      return fromFile(file.get(), flags, fileTexts.get(), variables, problems);
    }
    var others = new ArrayList<SettingTexts>();
    others.add(flags);
    fileTexts.ifPresent(others::add);
    if (!problems.isEmpty()) {
      // What the file was meant to have is not known: a required key may be misspelt.
      others.add(variables);
      return ServerConfig.of(List.of(flags), others, problems);
    }
    return fromSecret(flags, others, variables, problems);
  }

  private ServerConfig fromFile(
      Path path,
      SettingTexts flags,
      SettingTexts file,
      SettingTexts variables,
      List<String> problems)
      throws ConfigException {
    lines.accept("Attempting to load config from %s...".formatted(path));
    addMissing(List.of(flags, file), path.toString(), problems);
    ServerConfig config =
        ServerConfig.of(List.of(flags, file), List.of(flags, file, variables), problems);
    lines.accept("✓ Configuration loaded from %s".formatted(path));
    return config;
  }

  private ServerConfig fromSecret(
      SettingTexts flags, List<SettingTexts> others, SettingTexts variables, List<String> problems)
      throws ConfigException, StartException {
    lines.accept("Attempting to load config from Secrets Manager...");
    String id = secretId(flags, others, variables, problems);
    String place = "the secret " + id;
    return switch (secrets.read(id)) {
      case SecretSource.Found(var text) ->
          found(place, SecretJson.read(place, text, problems), flags, others, variables, problems);
      case SecretSource.Binary() -> {
        problems.add(place + " holds bytes and no text: store it as a SecretString with JSON");
        yield found(place, Optional.empty(), flags, others, variables, problems);
      }
      case SecretSource.Absent(var reason, var remedy) -> {
        tell(id, reason, remedy);
        yield fromEnvironment(id, flags, others, variables, problems);
      }
      case SecretSource.NotAccessible(_, var reason, var remedy) -> {
        tell(id, reason, remedy);
        yield fromEnvironment(id, flags, others, variables, problems);
      }
      case SecretSource.Failed(var problem) -> throw new StartException(problem);
    };
  }

  /**
   * Takes the settings of a secret.
   *
   * @param secret empty where it has none that can be read; the problems say so already
   */
  private ServerConfig found(
      String place,
      Optional<SettingTexts> secret,
      SettingTexts flags,
      List<SettingTexts> others,
      SettingTexts variables,
      List<String> problems)
      throws ConfigException {
    var sources = new ArrayList<>(List.of(flags));
    secret.ifPresent(
        texts -> {
          sources.add(texts);
          others.add(texts);
          addMissing(sources, place, problems);
        });
    others.add(variables);
    ServerConfig config = ServerConfig.of(sources, others, problems);
    lines.accept("✓ Configuration loaded from Secrets Manager");
    return config;
  }

  private static void tell(String id, String reason, String remedy) {
    LOG.warn("the secret {} was not read: {}; {}", id, reason, remedy);
  }

  private ServerConfig fromEnvironment(
      String id,
      SettingTexts flags,
      List<SettingTexts> others,
      SettingTexts variables,
      List<String> problems)
      throws ConfigException {
    lines.accept("  Secret not found or not accessible, falling back to environment variables");
    lines.accept("Attempting to load config from environment variables...");
    var sources = List.of(flags, variables);
    List<Setting<?>> missing = missing(sources);
    if (!missing.isEmpty()) {
      String names = missing.stream().map(Setting::variable).collect(Collectors.joining(", "));
      lines.accept("  Missing required configuration: " + names);
      problems.add(
          "no source has the whole configuration: set %s, or put all required keys into the secret %s"
                  .formatted(names, id)
              + " (the log says why it was not read); serve --local needs none of it");
    }
    others.add(variables);
    ServerConfig config = ServerConfig.of(sources, others, problems);
    lines.accept("✓ Configuration loaded from environment variables");
    return config;
  }

  /** Where the secret is, or all that is wrong if that cannot be said. */
  private static String secretId(
      SettingTexts flags, List<SettingTexts> others, SettingTexts variables, List<String> problems)
      throws ConfigException {
    for (SettingTexts layer : List.of(flags, variables)) {
      Optional<String> text = layer.find(Settings.DUCKLAKE_SECRET_ID);
      if (text.isPresent()) {
        try {
          return Settings.DUCKLAKE_SECRET_ID.read(text.get());
        } catch (IllegalArgumentException _) {
          // Reading all settings reports it, with whatever else is wrong.
          others.add(variables);
          ServerConfig.of(List.of(flags), others, problems);
        }
      }
    }
    return Settings.DUCKLAKE_SECRET_ID.initial().orElseThrow();
  }

  private static void addMissing(List<SettingTexts> sources, String place, List<String> problems) {
    missing(sources)
        .forEach(setting -> problems.add("%s lacks %s: add it".formatted(place, setting.key())));
  }

  private static List<Setting<?>> missing(List<SettingTexts> sources) {
    return required()
        .<Setting<?>>map(setting -> setting)
        .filter(setting -> sources.stream().noneMatch(source -> source.mentions(setting)))
        .toList();
  }

  private static Stream<Setting<?>> required() {
    return Settings.ALL.stream().filter(setting -> setting.need() == Need.REQUIRED);
  }
}
