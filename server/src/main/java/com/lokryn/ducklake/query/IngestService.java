package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Sql;
import java.util.Optional;
import org.apache.arrow.c.ArrowArrayStream;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.ipc.ArrowReader;

/**
 * Writes Arrow batches into a table while they arrive. One statement does it, so that all rows are
 * there or none. Thread-safe.
 */
public final class IngestService {
  /** What to do about the table, as ADBC's ingest modes have it. */
  public enum Mode {
    CREATE,
    APPEND,
    REPLACE,
    CREATE_APPEND
  }

  /**
   * Where the rows go.
   *
   * @param catalog where empty, the session's
   * @param schema where empty, the session's
   */
  public record Target(
      Optional<String> catalog, Optional<String> schema, String table, boolean temporary) {
    String sql() {
      StringBuilder name = new StringBuilder();
      if (!temporary) {
        catalog.ifPresent(part -> name.append(Sql.identifier(part)).append('.'));
        schema.ifPresent(part -> name.append(Sql.identifier(part)).append('.'));
      }
      return name.append(Sql.identifier(table)).toString();
    }
  }

  /** Batches that may fail on their way; DuckDB would only pass the failure on as garbled text. */
  public abstract static class Source extends ArrowReader {
    protected Source(BufferAllocator allocator) {
      super(allocator);
    }

    /** What ended the batches early, if something did. */
    public abstract Optional<RuntimeException> failure();

    /** The rows of the batches given so far. */
    public abstract long rows();
  }

  private final QueryService queries;
  private final BufferAllocator allocator;

  public IngestService(QueryService queries, BufferAllocator allocator) {
    this.queries = queries;
    this.allocator = allocator;
  }

  /**
   * Writes all batches of the source, and closes it.
   *
   * @return the rows written
   */
  public long ingest(
      Session session, Target target, Mode mode, Source source, Cancellation cancellation)
      throws EngineException {
    try (source) {
      return queries.accounted(
          session,
          "ingest",
          cancellation,
          execution -> {
            Session.Work<Long> work =
                place -> {
                  long rows = write(place.connection(), target, mode, source, execution);
                  place.release(false);
                  return rows;
                };
            long rows =
                target.temporary
                    ? session.runKeeping(cancellation, work)
                    : session.run(cancellation, work);
            execution.end(new Outcome.Done(rows, 0));
            return rows;
          });
    } catch (java.io.IOException e) {
      throw new IllegalStateException("closing an upload failed", e);
    }
  }

  private long write(
      EngineConnection connection, Target target, Mode mode, Source source, Execution execution)
      throws EngineException {
    String view = "ingest_" + execution.id();
    try (ArrowArrayStream stream = ArrowArrayStream.allocateNew(allocator);
        var _ = execution.cancellation().guard(connection)) {
      // From here on the stream owns the source.
      Data.exportArrayStream(allocator, source, stream);
      connection.register(view, stream);
      try {
        connection.run(
            statement(connection, execution.session(), target, mode, Sql.identifier(view)));
      } catch (EngineException | RuntimeException e) {
        drop(connection, view, e);
        throw e;
      }
      drop(connection, view);
      // Every row is written, so what came is what is there; a CREATE does not count.
      return source.rows();
    } catch (EngineException e) {
      execution.cancellation().check();
      if (source.failure().isPresent()) {
        throw source.failure().get();
      }
      throw e;
    }
  }

  private static void drop(EngineConnection connection, String view) throws EngineException {
    connection.run("DROP VIEW IF EXISTS temp." + Sql.identifier(view));
  }

  /**
   * The failure of the ingest is what counts: in a transaction it has ended, nothing runs after it.
   */
  private static void drop(EngineConnection connection, String view, Exception failure) {
    try {
      drop(connection, view);
    } catch (EngineException e) {
      failure.addSuppressed(e);
    }
  }

  private static String statement(
      EngineConnection connection, Session session, Target target, Mode mode, String view)
      throws EngineException {
    String kind = target.temporary ? "TEMP TABLE " : "TABLE ";
    String create = kind + target.sql() + " AS SELECT * FROM " + view;
    String insert = "INSERT INTO " + target.sql() + " BY NAME SELECT * FROM " + view;
    return switch (mode) {
      case CREATE -> "CREATE " + create;
      case REPLACE -> "CREATE OR REPLACE " + create;
      case APPEND -> insert;
      case CREATE_APPEND -> exists(connection, session, target) ? insert : "CREATE " + create;
    };
  }

  private static boolean exists(EngineConnection connection, Session session, Target target)
      throws EngineException {
    String catalog =
        target.temporary ? "temp" : target.catalog.orElse(session.namespace().catalog());
    String schema = target.temporary ? "main" : target.schema.orElse(session.namespace().schema());
    return !connection
        .rows(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ?"
                + " AND lower(table_name) = lower(?)",
            catalog,
            schema,
            target.table)
        .isEmpty();
  }
}
