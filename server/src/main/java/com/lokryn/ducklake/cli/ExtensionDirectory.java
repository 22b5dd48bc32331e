package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.engine.Extensions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the engine's extensions are. */
final class ExtensionDirectory {
  @Option(
      names = "--dir",
      paramLabel = "D",
      hidden = true,
      description = "Directory of the DuckDB extensions.")
  private @Nullable Path directory;

  Extensions get() {
    return Extensions.below(directory == null ? home() : directory);
  }

  /** The launcher says where a distribution has them; otherwise they are in the user's cache. */
  private static Path home() {
    String given = System.getProperty("ducklake.extensions");
    if (given != null && !given.isEmpty()) {
      return Path.of(given);
    }
    String cache = System.getenv("XDG_CACHE_HOME");
    Path base =
        cache == null || cache.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(cache);
    return base.resolve("ducklake-flight").resolve("extensions");
  }
}
