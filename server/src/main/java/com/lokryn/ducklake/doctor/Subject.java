package com.lokryn.ducklake.doctor;

import com.lokryn.ducklake.aws.AwsClients;
import com.lokryn.ducklake.aws.PolicyScope;
import com.lokryn.ducklake.aws.S3Checks;
import com.lokryn.ducklake.aws.SecretsManagerSource;
import com.lokryn.ducklake.config.ConfigException;
import com.lokryn.ducklake.config.ConfigurationReader;
import com.lokryn.ducklake.config.SecretSource;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Setting;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.engine.EngineOptions;
import com.lokryn.ducklake.engine.Extensions;
import com.lokryn.ducklake.lake.CatalogChecks;
import com.lokryn.ducklake.lake.PostgresCatalog;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;

/** What is examined: the configuration as far as it can be read, and what it names. Thread-safe. */
public final class Subject implements AutoCloseable {
  private static final long SMALL_ENGINE_BYTES = 256L << 20;

  private final AwsClients clients;
  private final Extensions extensions;
  private final ServerConfig config;
  private final List<String> problems;
  private final Optional<StartProblem> failure;
  private final Optional<SecretSource.Answer> answer;
  private final String source;
  private final BufferAllocator allocator = new RootAllocator();

  // Guarded by this.
  private @Nullable S3Checks s3;
  private @Nullable CatalogChecks catalog;

  private Subject(
      AwsClients clients,
      Extensions extensions,
      ServerConfig config,
      List<String> problems,
      Optional<StartProblem> failure,
      Optional<SecretSource.Answer> answer,
      String source) {
    this.clients = clients;
    this.extensions = extensions;
    this.config = config;
    this.problems = List.copyOf(problems);
    this.failure = failure;
    this.answer = answer;
    this.source = source;
  }

  /**
   * Reads the configuration as {@code serve} does, and keeps what it can.
   *
   * @param clients closed by the caller, after this
   * @param commandLine texts by key
   * @param file a properties file with the same keys
   * @param environment texts by variable
   */
  public static Subject read(
      AwsClients clients,
      Extensions extensions,
      Map<String, String> commandLine,
      Optional<Path> file,
      Map<String, String> environment) {
    var reader =
        new ConfigurationReader(new SecretsManagerSource(clients), commandLine, file, environment);
    var lines = new StringBuilder();
    ServerConfig config;
    List<String> problems = List.of();
    Optional<StartProblem> failure = Optional.empty();
    try {
      config = reader.read(line -> lines.append(line).append('\n'));
    } catch (ConfigException e) {
      config = e.readable();
      problems = e.problems();
    } catch (StartException e) {
      config = ServerConfig.empty();
      failure = Optional.of(e.problem());
    }
    return new Subject(
        clients, extensions, config, problems, failure, reader.answer(), source(lines.toString()));
  }

  /**
   * For a configuration that has been read, and is right.
   *
   * @param clients closed by the caller, after this
   */
  public static Subject of(AwsClients clients, Extensions extensions, ServerConfig config) {
    return new Subject(
        clients, extensions, config, List.of(), Optional.empty(), Optional.empty(), "read");
  }

  /** The cascade tells where it read in the last of its lines. */
  private static String source(String lines) {
    int at = lines.lastIndexOf("loaded from ");
    return at < 0 ? "an unknown source" : lines.substring(at).strip();
  }

  /** The settings that nothing is wrong with. */
  public ServerConfig config() {
    return config;
  }

  /** What is wrong with the others. */
  List<String> problems() {
    return problems;
  }

  /** What kept the configuration from being read at all. */
  Optional<StartProblem> failure() {
    return failure;
  }

  /** What Secrets Manager answered, if it was asked. */
  Optional<SecretSource.Answer> answer() {
    return answer;
  }

  /** Where the configuration is from, in words. */
  String source() {
    return source;
  }

  /**
   * What a policy for this configuration is about.
   *
   * @throws StartException where a setting is missing that names a resource
   */
  public PolicyScope scope(PolicyOptions options) throws StartException {
    if (failure.isPresent()) {
      throw new StartException(failure.get());
    }
    for (Setting<?> setting : List.of(Settings.S3_BUCKET_URL, Settings.AWS_REGION)) {
      if (config.find(setting).isEmpty()) {
        throw new StartException(
            new StartProblem(
                Kind.CONFIGURATION,
                "the policy needs a right value of " + setting.key(),
                "set it, for instance %s in the environment".formatted(setting.variable())));
      }
    }
    String bucketRegion = config.get(Settings.AWS_REGION);
    return new PolicyScope(
        clients.ownRegion().orElse(bucketRegion),
        bucketRegion,
        options.account(),
        config.get(Settings.DUCKLAKE_SECRET_ID),
        config.get(Settings.S3_BUCKET_URL),
        options.secretKey(),
        options.bucketKey(),
        options.logGroup(),
        options.marketplace() || config.find(Settings.MARKETPLACE_PRODUCT_CODE).isPresent(),
        config.find(Settings.MARKETPLACE_USAGE_DIMENSION).isPresent());
  }

  AwsClients clients() {
    return clients;
  }

  Extensions extensions() {
    return extensions;
  }

  BufferAllocator allocator() {
    return allocator;
  }

  synchronized S3Checks s3() {
    if (s3 == null) {
      s3 =
          new S3Checks(
              clients,
              config.get(Settings.S3_BUCKET_URL),
              config.get(Settings.AWS_REGION),
              InstantSource.system());
    }
    return s3;
  }

  synchronized CatalogChecks catalog() {
    if (catalog == null) {
      catalog =
          new CatalogChecks(
              PostgresCatalog.of(config, 2),
              extensions,
              smallEngine(),
              allocator,
              new SecureRandom());
    }
    return catalog;
  }

  /** For engines that do next to nothing. */
  EngineOptions smallEngine() {
    return new EngineOptions(
        1,
        SMALL_ENGINE_BYTES,
        Path.of(System.getProperty("java.io.tmpdir"), "ducklake-flight-doctor"),
        0,
        extensions.directory());
  }

  @Override
  public synchronized void close() {
    if (s3 != null) {
      s3.close();
    }
    if (catalog != null) {
      catalog.close();
    }
  }
}
