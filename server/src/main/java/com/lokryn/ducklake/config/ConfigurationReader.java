package com.lokryn.ducklake.config;

import com.lokryn.ducklake.config.SecretSource.Answer;
import com.lokryn.ducklake.config.StartProblem.Kind;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the configuration of a server in production at its start, and again while it runs, since a
 * secret may be changed. Thread-safe.
 */
public final class ConfigurationReader {
  private final SecretSource secrets;
  private final Map<String, String> commandLine;
  private final Optional<Path> file;
  private final Map<String, String> environment;
  private volatile @Nullable Answer answer;

  /**
   * @param commandLine texts by key
   * @param file a properties file with the same keys
   * @param environment texts by variable
   */
  public ConfigurationReader(
      SecretSource secrets,
      Map<String, String> commandLine,
      Optional<Path> file,
      Map<String, String> environment) {
    this.secrets = secrets;
    this.commandLine = Map.copyOf(commandLine);
    this.file = file;
    this.environment = Map.copyOf(environment);
  }

  /**
   * Reads it, as {@link Cascade} does.
   *
   * @param lines takes what the program tells of its start, line by line
   */
  public ServerConfig read(Consumer<String> lines) throws ConfigException, StartException {
    return cascade(this::ask, lines);
  }

  private Answer ask(String id) {
    Answer given = secrets.read(id);
    answer = given;
    return given;
  }

  /** What Secrets Manager answered when the configuration was read, if it was asked. */
  public Optional<Answer> answer() {
    return Optional.ofNullable(answer);
  }

  /** Was the secret the source, so that reading again may find something else? */
  public boolean isFromSecret() {
    return answer instanceof SecretSource.Found;
  }

  /**
   * Reads it from the secret as that is now. No other source takes its place.
   *
   * @throws ConfigException when the secret is not right any more
   * @throws StartException when it cannot be read any more
   */
  public ServerConfig readAgain() throws ConfigException, StartException {
    return cascade(id -> required(secrets.read(id)), _ -> {});
  }

  private static Answer required(Answer given) {
    return switch (given) {
      case SecretSource.Absent(var reason, var remedy) -> failed(Kind.PERMISSION, reason, remedy);
      case SecretSource.NotAccessible(var kind, var reason, var remedy) ->
          failed(kind, reason, remedy);
      case SecretSource.Found _, SecretSource.Binary _, SecretSource.Failed _ -> given;
    };
  }

  private static Answer failed(Kind kind, String reason, String remedy) {
    return new SecretSource.Failed(new StartProblem(kind, reason, remedy));
  }

  private ServerConfig cascade(SecretSource source, Consumer<String> lines)
      throws ConfigException, StartException {
    return new Cascade(source, environment, lines).read(commandLine, file);
  }
}
