package com.lokryn.ducklake.app;

import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.lake.LakeEngine;
import com.lokryn.ducklake.observe.Levels.EngineUse;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * What the engine holds, asked of itself when somebody wants to know, on a thread that may enter
 * it. An engine that does not answer has nobody wait for it, and is asked once only. Thread-safe.
 */
final class EngineLevels implements AutoCloseable {
  private static final Namespace BESIDE_THE_LAKE = new Namespace("memory", "main");
  private static final long PATIENCE_MS = 500;
  private static final String QUESTION =
      "SELECT sum(memory_usage_bytes)::VARCHAR, sum(temporary_storage_bytes)::VARCHAR"
          + " FROM duckdb_memory()";

  private final LakeEngine engine;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(EngineThreads.factory("engine-levels"));

  /** The question that was asked last. Guarded by this. */
  private @Nullable Future<EngineUse> asked;

  EngineLevels(LakeEngine engine) {
    this.engine = engine;
  }

  /** The answer, if it comes in time. */
  EngineUse read() {
    try {
      return ask().get(PATIENCE_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return EngineUse.UNKNOWN;
    } catch (ExecutionException | TimeoutException | RejectedExecutionException e) {
      return EngineUse.UNKNOWN;
    }
  }

  private synchronized Future<EngineUse> ask() {
    Future<EngineUse> last = asked;
    if (last == null || last.isDone()) {
      last = thread.submit(this::answer);
      asked = last;
    }
    return last;
  }

  private EngineUse answer() throws EngineException {
    try (var connection = engine.connect(BESIDE_THE_LAKE)) {
      List<String> row = connection.rows(QUESTION).getFirst();
      return new EngineUse(Double.parseDouble(row.get(0)), Double.parseDouble(row.get(1)));
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
