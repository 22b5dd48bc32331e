package com.lokryn.ducklake.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The extension files of exactly this engine's version, in one directory, by name. They are loaded
 * by path, before the engine is locked down, so that nothing is looked for on a network at start.
 */
public record Extensions(Path directory) {
  /** The version of DuckDB, and so of its extensions. */
  public static final String ENGINE_VERSION = BuildInfo.DUCKDB_VERSION;

  /** What a server in production loads; a local lake needs the first one only. */
  public static final List<String> NEEDED = List.of("ducklake", "httpfs", "postgres_scanner");

  private static final String SUFFIX = ".duckdb_extension";

  public Path file(String name) {
    return directory.resolve(name + SUFFIX);
  }

  public boolean has(String name) {
    return Files.isRegularFile(file(name));
  }

  /** The statement that loads an extension. */
  public String load(String name) {
    return "LOAD " + Sql.literal(file(name).toString());
  }

  /** The directory of this version below a directory that may hold several. */
  public static Extensions below(Path home) {
    return new Extensions(home.resolve("v" + ENGINE_VERSION).resolve(platform()));
  }

  /** DuckDB's name for this machine, such as {@code linux_amd64}. */
  static String platform() {
    String os = System.getProperty("os.name").startsWith("Mac") ? "osx" : "linux";
    String arch = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
    return os + "_" + arch;
  }
}
