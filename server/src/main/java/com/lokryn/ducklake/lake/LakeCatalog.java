package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.engine.Engine;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Extensions;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.SessionSettings;
import com.lokryn.ducklake.engine.Sql;
import java.util.List;
import java.util.Optional;

/**
 * Brings the lake into an engine and then locks the engine: from there on no statement loads code,
 * reads files outside of the lake's data, or changes a setting.
 */
public final class LakeCatalog {
  /** The name of the lake in every session. */
  public static final String NAME = "lake";

  public static final Namespace NAMESPACE = new Namespace(NAME, "main");

  /**
   * Below the lake's data: where statements may write files, and read them again. DuckLake keeps
   * the files of a schema in a directory of its name, so no schema may be called so.
   */
  public static final String EXPORTS = "exports/";

  private final Lake lake;
  private final Extensions extensions;

  /**
   * How a commit repeats itself when others have committed meanwhile: some tens of writers at once
   * need more than DuckLake's 10 tries. The first pause is short, as those of the same server
   * commit one after the other.
   */
  private static final List<String> COMMITS =
      List.of(
          "SET GLOBAL ducklake_max_retry_count=100",
          "SET GLOBAL ducklake_retry_wait_ms=20",
          "SET GLOBAL ducklake_retry_backoff=1.1");

  private final List<String> settings;

  public LakeCatalog(Lake lake, Extensions extensions) {
    this(lake, extensions, List.of());
  }

  /**
   * @param settings statements for the engine that are run last before it is locked
   */
  public LakeCatalog(Lake lake, Extensions extensions, List<String> settings) {
    this.lake = lake;
    this.extensions = extensions;
    this.settings = List.copyOf(settings);
  }

  /** Looks at what has to be there before an engine is opened. */
  public void prepare() throws StartException {
    lake.prepare();
    Optional<StartProblem> missing = missing(lake.extensions(), extensions);
    if (missing.isPresent()) {
      throw new StartException(missing.get());
    }
  }

  /** The first extension that is not there. */
  static Optional<StartProblem> missing(List<String> needed, Extensions extensions) {
    return needed.stream()
        .filter(extension -> !extensions.has(extension))
        .findFirst()
        .map(
            extension ->
                new StartProblem(
                    Kind.DEPENDENCY,
                    "the DuckDB extension '%s' of version %s is not installed"
                        .formatted(extension, Extensions.ENGINE_VERSION),
                    "run 'ducklake-flight extensions install'"));
  }

  /**
   * Loads what the lake needs, attaches it, and locks the engine, in the order that must be kept.
   */
  public void attach(Engine engine) throws StartException {
    try {
      for (String extension : lake.extensions()) {
        engine.run(extensions.load(extension));
      }
      lake.attach(engine);
      for (String setting : COMMITS) {
        engine.run(setting);
      }
      engine.run("SET GLOBAL allowed_directories=[" + Sql.literal(lake.dataPath()) + "]");
      engine.run("SET GLOBAL enable_external_access=false");
      engine.run(SessionSettings.allow());
      for (String setting : settings) {
        engine.run(setting);
      }
      engine.run("SET GLOBAL lock_configuration=true");
    } catch (EngineException e) {
      throw lake.explain(e);
    }
  }

  /** Proves that the catalog can be read, as {@link #ask} does. */
  public void check(Engine engine) throws StartException {
    try {
      ask(engine);
    } catch (EngineException e) {
      throw lake.explain(e);
    }
  }

  /** Asks the lake for its newest snapshot. */
  void ask(Engine engine) throws EngineException {
    try (var connection = engine.connect(NAMESPACE)) {
      newestSnapshot(connection);
    }
  }

  static String newestSnapshot(EngineConnection connection) throws EngineException {
    return connection
        .rows("SELECT max(snapshot_id) FROM system.main.ducklake_snapshots('" + NAME + "')")
        .getFirst()
        .getFirst();
  }

  /** How many connections to its catalog an engine may hold. */
  int maxConnections() {
    return lake.maxConnections();
  }
}
