package com.lokryn.ducklake.lake.maintenance;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.lake.LakeCatalog;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * What the steps of a pass share. Used by one thread.
 *
 * @param connection of the engine, for one transaction after the other
 * @param data where the lake's files are, with a slash at the end
 * @param isHeldAlone can nobody else have the lake open?
 * @param fence between compactions and others' deletes
 * @param dryRun only count
 * @param leader fails when another process may lead by now
 */
record Pass(
    EngineConnection connection,
    Metadata metadata,
    String data,
    boolean isHeldAlone,
    Fence fence,
    Limits limits,
    boolean dryRun,
    Check leader) {
  /** How often a transaction is begun that others' commits come before. */
  private static final int MAX_ATTEMPTS = 5;

  private static final long PAUSE_MS = 200;

  interface Check {
    void require() throws EngineException;
  }

  interface Work<T> {
    T run() throws EngineException;
  }

  /**
   * Calls a function of DuckLake's in a transaction, and commits under the server's name.
   *
   * @param message what snapshots say of it
   */
  List<List<String>> call(String function, String arguments, String message)
      throws EngineException {
    leader.require();
    connection.begin(false);
    try {
      connection.run(
          "CALL system.main.ducklake_set_commit_message('%s', 'ducklake-flight', 'maintenance: %s')"
              .formatted(LakeCatalog.NAME, message));
      List<List<String>> rows =
          connection.rows(
              "CALL system.main.%s('%s'%s)"
                  .formatted(
                      function, LakeCatalog.NAME, arguments.isEmpty() ? "" : ", " + arguments));
      return connection.committing(
          () -> {
            connection.commit();
            return rows;
          });
    } catch (EngineException | RuntimeException e) {
      connection.rollBack(e);
      throw e;
    } finally {
      connection.schemasForgotten();
    }
  }

  /** Begins anew when somebody else's commit came first, a few times. */
  <T> T retrying(Work<T> work) throws EngineException {
    for (int attempt = 1; ; attempt++) {
      try {
        return work.run();
      } catch (EngineException e) {
        if (!e.error().isConflict() || attempt == MAX_ATTEMPTS) {
          throw e;
        }
      }
      long most = PAUSE_MS << attempt;
      LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(most / 2, most) * 1_000_000);
      if (Thread.currentThread().isInterrupted()) {
        // Let the engine say so, as it does of what is interrupted in it.
        connection.interrupt();
      }
    }
  }
}
