package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.engine.Engine;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Extensions;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.Sql;
import com.lokryn.ducklake.lake.LakeUnavailableException.Cause;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Brings the lake into an engine and then locks the engine: from there on no statement loads code,
 * reads files outside of the lake's data, or changes a setting.
 */
public final class LakeCatalog {
  /** The name of the lake in every session. */
  public static final String NAME = "lake";

  public static final Namespace NAMESPACE = new Namespace(NAME, "main");

  private final LakeLocation.Local location;
  private final Extensions extensions;

  public LakeCatalog(LakeLocation.Local location, Extensions extensions) {
    this.location = location;
    this.extensions = extensions;
  }

  /** Makes the directories of the lake and shows that files can be written there. */
  public void prepareDirectories() throws LakeUnavailableException {
    Path directory = location.directory();
    try {
      Files.createDirectories(location.data());
      Files.delete(Files.createTempFile(location.data(), ".write", ".test"));
    } catch (AccessDeniedException e) {
      throw new LakeUnavailableException(
          Cause.PERMISSION, "cannot write in " + directory + ": permission denied", e);
    } catch (IOException e) {
      throw new LakeUnavailableException(
          Cause.PERMISSION,
          "cannot make the lake's directory %s (%s): give another one with --local=DIR"
              .formatted(directory, e.getClass().getSimpleName()),
          e);
    }
  }

  /**
   * Loads what the lake needs, attaches it, and locks the engine, in the order that must be kept.
   */
  public void attach(Engine engine) throws LakeUnavailableException {
    if (!extensions.has("ducklake")) {
      throw new LakeUnavailableException(
          Cause.DEPENDENCY,
          "the DuckDB extension 'ducklake' of version %s is not installed: run"
                  .formatted(Extensions.ENGINE_VERSION)
              + " 'ducklake-flight extensions install'");
    }
    try {
      engine.run(extensions.load("ducklake"));
      engine.run(
          "ATTACH %s AS %s (DATA_PATH %s, OVERRIDE_DATA_PATH true)"
              .formatted(
                  Sql.literal("ducklake:" + location.catalog()),
                  NAME,
                  Sql.literal(location.data() + "/")));
      engine.run("SET GLOBAL allowed_directories=[" + Sql.literal(location.data() + "/") + "]");
      engine.run("SET GLOBAL enable_external_access=false");
      engine.run("SET GLOBAL lock_configuration=true");
    } catch (EngineException e) {
      throw explain(e);
    }
  }

  /** Asks the lake for its newest snapshot: proves that the catalog can be read. */
  public void check(Engine engine) throws LakeUnavailableException {
    try (var connection = engine.connect(NAMESPACE)) {
      connection.rows("SELECT max(snapshot_id) FROM ducklake_snapshots('" + NAME + "')");
    } catch (EngineException e) {
      throw explain(e);
    }
  }

  private LakeUnavailableException explain(EngineException e) {
    String text = e.text();
    if (text.contains("Could not set lock on file") || text.contains("Conflicting lock")) {
      return new LakeUnavailableException(
          Cause.DEPENDENCY,
          "the lake in %s is in use by another process: stop it, or serve another directory with"
                  .formatted(location.directory())
              + " --local=DIR",
          e);
    }
    if (text.contains("Permission denied")) {
      return new LakeUnavailableException(
          Cause.PERMISSION,
          "the lake's catalog %s may not be read or written".formatted(location.catalog()),
          e);
    }
    return new LakeUnavailableException(
        Cause.DEPENDENCY,
        "the lake's catalog %s cannot be opened: %s".formatted(location.catalog(), firstLine(text)),
        e);
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse(text);
  }
}
