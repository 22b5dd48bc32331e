package com.lokryn.ducklake.engine;

import java.nio.file.Path;
import java.util.Properties;

/**
 * What an engine is opened with.
 *
 * @param threads worker threads of the engine's scheduler
 * @param memoryLimitBytes what DuckDB's buffer manager may hold before it spills
 * @param temporaryDirectory where it spills; made by DuckDB when first needed
 * @param maxTemporaryBytes how much it may spill; 0: whatever the disk has
 * @param extensionDirectory where `LOAD` by name would look; files are loaded by path
 */
public record EngineOptions(
    int threads,
    long memoryLimitBytes,
    Path temporaryDirectory,
    long maxTemporaryBytes,
    Path extensionDirectory) {

  /** The same, but spilling elsewhere. */
  public EngineOptions spillingTo(Path directory) {
    return new EngineOptions(
        threads, memoryLimitBytes, directory, maxTemporaryBytes, extensionDirectory);
  }

  Properties properties() {
    Properties properties = new Properties();
    properties.setProperty("threads", Integer.toString(threads));
    properties.setProperty("memory_limit", memoryLimitBytes + "B");
    properties.setProperty("temp_directory", temporaryDirectory.toString());
    properties.setProperty("extension_directory", extensionDirectory.toString());
    // Results leave as they are made; nothing is ever collected first.
    properties.setProperty("jdbc_stream_results", "true");
    // No code but what the operator installed, no network at start, no secret on disk.
    properties.setProperty("autoinstall_known_extensions", "false");
    properties.setProperty("autoload_known_extensions", "false");
    properties.setProperty("allow_community_extensions", "false");
    properties.setProperty("allow_persistent_secrets", "false");
    return properties;
  }
}
