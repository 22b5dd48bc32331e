package com.lokryn.ducklake.engine;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Fetches extension files, whole or not at all. DuckDB checks their signatures when it loads them.
 */
public final class ExtensionInstaller {
  private static final long DOWNLOAD_MINUTES = 5;

  private final Extensions extensions;

  public ExtensionInstaller(Extensions extensions) {
    this.extensions = extensions;
  }

  /** Installs an extension, and says where it came from. */
  public String install(String name) throws IOException {
    Files.createDirectories(extensions.directory());
    Path work = Files.createTempDirectory(extensions.directory(), ".install");
    try {
      Optional<Path> file = fromRepository(name, work);
      String source = "DuckDB's repository";
      if (file.isEmpty()) {
        file = fromWheel(name, work);
        source = "its Python wheel";
      }
      Path found =
          file.orElseThrow(
              () ->
                  new IOException(
                      ("the DuckDB extension '%s' of version %s can be had neither from DuckDB's"
                              + " repository nor as the Python wheel %s: check the network, or"
                              + " install Python with pip")
                          .formatted(name, Extensions.ENGINE_VERSION, wheel(name))));
      Files.move(found, extensions.file(name), StandardCopyOption.ATOMIC_MOVE);
      return source;
    } finally {
      delete(work);
    }
  }

  private static Optional<Path> fromRepository(String name, Path work) throws IOException {
    var properties = new Properties();
    properties.setProperty("extension_directory", work.toString());
    try (var connection = DriverManager.getConnection("jdbc:duckdb:", properties);
        var statement = connection.createStatement()) {
      statement.execute("INSTALL " + Sql.identifier(name));
    } catch (SQLException e) {
      return Optional.empty();
    }
    return find(work, name);
  }

  private static Optional<Path> fromWheel(String name, Path work) throws IOException {
    Path log = work.resolve("pip.log");
    var pip =
        new ProcessBuilder(
                List.of(
                    "python3",
                    "-m",
                    "pip",
                    "download",
                    "--quiet",
                    "--no-deps",
                    "--only-binary=:all:",
                    "--dest",
                    work.toString(),
                    wheel(name) + "==" + Extensions.ENGINE_VERSION))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    try {
      Process process = pip.start();
      if (!process.waitFor(DOWNLOAD_MINUTES, TimeUnit.MINUTES)) {
        process.destroy();
        return Optional.empty();
      }
      if (process.exitValue() != 0) {
        return Optional.empty();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    } catch (IOException e) {
      // No Python here.
      return Optional.empty();
    }
    Optional<Path> archive;
    try (Stream<Path> files = Files.list(work)) {
      archive = files.filter(file -> file.toString().endsWith(".whl")).findFirst();
    }
    if (archive.isEmpty()) {
      return Optional.empty();
    }
    try (FileSystem wheel = FileSystems.newFileSystem(archive.get())) {
      Optional<Path> packed = find(wheel.getPath("/"), name);
      if (packed.isEmpty()) {
        return Optional.empty();
      }
      return Optional.of(Files.copy(packed.get(), work.resolve(name)));
    }
  }

  private static Optional<Path> find(Path root, String name) throws IOException {
    String file = name + ".duckdb_extension";
    try (Stream<Path> files = Files.walk(root)) {
      return files.filter(path -> path.endsWith(file)).findFirst();
    }
  }

  private static String wheel(String name) {
    return "duckdb-extension-" + name.replace('_', '-');
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
