package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.Sql;
import com.lokryn.ducklake.query.Execution.Subject;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.arrow.c.ArrowArrayStream;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;

/**
 * Writes Arrow batches into a table while they arrive. One statement does it, so that all rows are
 * there or none. Thread-safe.
 */
public final class IngestService {
  private static final Subject INGEST = new Subject("ingest", "");

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
    /**
     * The whole name, where parts that are not given are the session's: a name alone would also
     * mean a temporary table, which may have the name of one of the lake.
     */
    String qualified(Namespace namespace) {
      return "%s.%s.%s"
          .formatted(
              Sql.identifier(catalog(namespace)),
              Sql.identifier(schema(namespace)),
              Sql.identifier(table));
    }

    private String catalog(Namespace namespace) {
      return temporary ? "temp" : catalog.orElse(namespace.catalog());
    }

    private String schema(Namespace namespace) {
      return temporary ? "main" : schema.orElse(namespace.schema());
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

    /** How long the batches given so far were waited for. */
    public abstract long waitedNanos();

    /** Takes in what is left, and gives it to nobody. */
    public abstract void skip();
  }

  private final QueryService queries;
  private final IngestKeys keys;
  private final BufferAllocator allocator;

  public IngestService(QueryService queries, IngestKeys keys, BufferAllocator allocator) {
    this.queries = queries;
    this.keys = keys;
    this.allocator = allocator;
  }

  /**
   * Writes all batches of the source, and closes it.
   *
   * @param key an ingest with a key that was committed before changes nothing, and answers its rows
   * @return the rows written
   */
  public long ingest(
      Session session,
      Target target,
      Mode mode,
      Optional<String> key,
      Source source,
      Cancellation cancellation)
      throws EngineException {
    try (source) {
      Namespace namespace = session.namespace();
      queries
          .executions()
          .before(
              session,
              () -> INGEST,
              cancellation,
              () -> {
                StatementGate.admitIngest(
                    session,
                    target.catalog(namespace),
                    target.schema(namespace),
                    target.table(),
                    mode != Mode.APPEND);
                return namespace;
              });
      return queries
          .executions()
          .accounted(
              session,
              INGEST,
              cancellation,
              execution -> {
                var load = new Load(target, mode, source, execution);
                long rows = key.isPresent() ? once(load, key.get()) : write(load, Signature::of);
                execution.end(new Outcome.Done(rows, 0));
                return rows;
              });
    } catch (java.io.IOException e) {
      throw new IllegalStateException("closing an upload failed", e);
    }
  }

  private record Load(Target target, Mode mode, Source source, Execution execution) {
    Session session() {
      return execution.session();
    }

    Cancellation cancellation() {
      return execution.cancellation();
    }
  }

  /** What the commit of an ingest is signed with. */
  private interface Signer {
    Signature sign(Execution execution) throws EngineException;
  }

  private long once(Load load, String key) throws EngineException {
    if (load.session().inTransaction() || load.target.temporary) {
      throw new QueryException(
          Problem.INVALID,
          "an idempotency key is for an ingest that commits by itself: not in a transaction, and"
              + " not into a temporary table");
    }
    String table = load.target.qualified(load.session().namespace());
    try (KeyLock.Held held = keys.hold(key, load.cancellation())) {
      OptionalLong earlier = keys.rows(key, table, load.cancellation());
      if (earlier.isPresent()) {
        load.source.skip();
        return earlier.getAsLong();
      }
      return write(
          load,
          execution -> {
            held.require();
            return IngestKeys.signed(Signature.of(execution), key, table, load.source.rows());
          });
    }
  }

  private long write(Load load, Signer signer) throws EngineException {
    Session.Work<Long> work =
        place -> {
          EngineConnection connection = place.connection();
          long rows =
              load.session().inTransaction()
                  ? writeOn(connection, load)
                  : Signature.commit(
                      connection,
                      load.cancellation(),
                      () -> writeOn(connection, load),
                      _ -> signer.sign(load.execution));
          place.release(false);
          return rows;
        };
    return load.target.temporary
        ? load.session().runKeeping(load.cancellation(), work)
        : load.session().run(load.cancellation(), work);
  }

  private long writeOn(EngineConnection connection, Load load) throws EngineException {
    if (!load.target.temporary && load.mode != Mode.APPEND) {
      requireStorable(load.source);
    }
    if (!load.target.temporary) {
      queries.holdSchema(connection);
    }
    String view = "ingest_" + load.execution.id();
    try (ArrowArrayStream stream = ArrowArrayStream.allocateNew(allocator);
        var work = load.cancellation().guard(connection)) {
      // From here on the stream owns the source.
      Data.exportArrayStream(allocator, load.source, stream);
      connection.register(view, stream);
      load.execution.planned();
      try {
        connection.run(
            statement(connection, load.session(), load.target, load.mode, Sql.identifier(view)));
      } catch (EngineException | RuntimeException e) {
        drop(connection, view, e);
        throw e;
      } finally {
        work.waited(load.source.waitedNanos());
      }
      drop(connection, view);
      // Every row is written, so what came is what is there; a CREATE does not count.
      return load.source.rows();
    } catch (EngineException e) {
      load.cancellation().check();
      if (load.source.failure().isPresent()) {
        throw load.source.failure().get();
      }
      throw e;
    }
  }

  /**
   * DuckLake takes TIME_NS for a column and cannot write it: the internal error that comes of it
   * loses the engine to all (DuckLake of DuckDB 1.5.5).
   */
  private static void requireStorable(Source source) {
    try {
      for (Field field : source.getVectorSchemaRoot().getSchema().getFields()) {
        requireStorable(field, field.getName());
      }
    } catch (java.io.IOException e) {
      throw new IllegalStateException("the schema of an upload is known by now", e);
    }
  }

  private static void requireStorable(Field field, String column) {
    if (field.getType() instanceof ArrowType.Time time && time.getUnit() == TimeUnit.NANOSECOND) {
      throw new QueryException(
          Problem.UNSUPPORTED,
          "column \"%s\" has times in nanoseconds, which DuckLake cannot store: send microseconds"
              .formatted(column));
    }
    field.getChildren().forEach(child -> requireStorable(child, column));
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

  private String statement(
      EngineConnection connection, Session session, Target target, Mode mode, String view)
      throws EngineException {
    String kind = target.temporary ? "TEMP TABLE " : "TABLE ";
    String table = target.qualified(session.namespace());
    String create = kind + table + " AS SELECT * FROM " + view;
    String insert = "INSERT INTO " + table + " BY NAME SELECT * FROM " + view;
    return switch (mode) {
      case CREATE -> "CREATE " + create;
      case REPLACE -> "CREATE OR REPLACE " + create;
      case APPEND -> insert;
      case CREATE_APPEND -> {
        queries.requireLists(session, connection);
        yield exists(connection, session, target) ? insert : "CREATE " + create;
      }
    };
  }

  private static boolean exists(EngineConnection connection, Session session, Target target)
      throws EngineException {
    // By its columns: duckdb_tables() looks at the files of every table of the lake.
    return !connection
        .rows(
            "SELECT 1 FROM duckdb_columns() WHERE database_name = ? AND schema_name = ?"
                + " AND lower(table_name) = lower(?) LIMIT 1",
            target.catalog(session.namespace()),
            target.schema(session.namespace()),
            target.table)
        .isEmpty();
  }
}
