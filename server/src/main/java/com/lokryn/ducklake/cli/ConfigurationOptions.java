package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.config.Settings;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the configuration comes from. */
final class ConfigurationOptions {
  @Option(names = "--config", paramLabel = "FILE", description = "A properties file of settings.")
  private @Nullable Path file;

  @Option(
      names = "--ducklake-secret-id",
      paramLabel = "ID",
      description = "Name or ARN of the secret with the configuration, without --local.")
  private @Nullable String secretId;

  Optional<Path> file() {
    return Optional.ofNullable(file);
  }

  /** What the command line sets, by key. */
  Map<String, String> given() {
    return secretId == null ? Map.of() : Map.of(Settings.DUCKLAKE_SECRET_ID.key(), secretId);
  }
}
