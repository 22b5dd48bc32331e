package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.engine.Engine;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.NewestSnapshot;
import com.lokryn.ducklake.engine.Sql;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A lake in one directory: the catalog in a DuckDB file, the data in Parquet files beside it. */
public record LocalLake(Path directory) implements Lake {
  private Path catalog() {
    return directory.resolve("catalog.ducklake");
  }

  /** Is there one? */
  public boolean exists() {
    return Files.isRegularFile(catalog());
  }

  private Path data() {
    return directory.resolve("data");
  }

  @Override
  public List<String> extensions() {
    return List.of("ducklake");
  }

  /** Makes the directories of the lake and shows that files can be written there. */
  @Override
  public void prepare() throws StartException {
    try {
      // DuckDB makes no directory for a file.
      Files.createDirectories(data().resolve(LakeCatalog.EXPORTS));
      Files.delete(Files.createTempFile(data(), ".write", ".test"));
    } catch (AccessDeniedException e) {
      throw new StartException(
          new StartProblem(
              Kind.PERMISSION,
              "cannot write in " + directory + ": permission denied",
              "let the user of this process write there, or give another directory with"
                  + " --local=DIR"));
    } catch (IOException e) {
      throw new StartException(
          new StartProblem(
              Kind.PERMISSION,
              "cannot make the lake's directory %s (%s)"
                  .formatted(directory, e.getClass().getSimpleName()),
              "give another one with --local=DIR"));
    }
  }

  @Override
  public void attach(Engine engine) throws EngineException {
    engine.run(
        "ATTACH %s AS %s (DATA_PATH %s, OVERRIDE_DATA_PATH true)"
            .formatted(
                Sql.literal("ducklake:" + catalog()), LakeCatalog.NAME, Sql.literal(dataPath())));
  }

  @Override
  public String dataPath() {
    return data() + "/";
  }

  /** Its catalog is in the engine's own process: a transaction there costs little. */
  @Override
  public Optional<NewestSnapshot> newestSnapshot() {
    return Optional.empty();
  }

  @Override
  public int maxConnections() {
    return 0;
  }

  @Override
  public StartException explain(EngineException failure) {
    return new StartException(problem(failure.text()));
  }

  private StartProblem problem(String text) {
    if (text.contains("Could not set lock on file") || text.contains("Conflicting lock")) {
      return new StartProblem(
          Kind.DEPENDENCY,
          "the lake in %s is in use by another process".formatted(directory),
          "stop it, or serve another directory with --local=DIR");
    }
    if (text.contains("Permission denied")) {
      return new StartProblem(
          Kind.PERMISSION,
          "the lake's catalog %s may not be read or written".formatted(catalog()),
          "let the user of this process read and write it");
    }
    return new StartProblem(
        Kind.DEPENDENCY,
        "the lake's catalog %s cannot be opened: %s"
            .formatted(catalog(), text.lines().findFirst().orElse(text)),
        "serve another directory with --local=DIR, or restore the catalog from a copy");
  }
}
