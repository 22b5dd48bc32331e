package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineStatement;
import com.lokryn.ducklake.engine.EngineStatement.Kind;
import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.query.Session.Place;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs what may change something, to its end: signed, in one transaction where it commits by
 * itself, and again where another commit was first. Thread-safe.
 */
final class Changes {
  /** A reader's transaction cannot write to the lake, whatever its statements were taken for. */
  private static final SqlText READ_ONLY_BEGIN = SqlText.of("BEGIN TRANSACTION READ ONLY");

  private final StatementGate gate;
  private final Holdings holdings;

  Changes(StatementGate gate, Holdings holdings) {
    this.gate = gate;
    this.holdings = holdings;
  }

  /** Must be planned, run and committed in one transaction, and is in none. */
  static boolean areDueTogether(Call call) {
    boolean changes = call.admitted().statement().mayChangeLake() && !call.isReader();
    return (call.text().isCompaction() || changes) && !call.session().inTransaction();
  }

  /** Runs a query that changes the lake; its few rows wait to be read. */
  BatchStream query(Call call, EngineConnection connection) throws EngineException {
    try {
      return Conflicts.retrying(
          call.cancellation(), () -> committed(call, connection, () -> spooled(call, connection)));
    } finally {
      forgetSchemas(call, connection);
    }
  }

  /** Runs a statement, and gives its place back; returns the rows it changed. */
  long run(Place place, Call call) throws EngineException {
    EngineConnection connection = place.connection();
    boolean inTransaction = call.session().inTransaction();
    if (inTransaction && call.text().isCommit()) {
      signQuietly(call, connection);
    }
    call.session().keep(call.admitted().statement());
    long rows =
        areDueTogether(call)
            ? Conflicts.retrying(
                call.cancellation(),
                () -> committed(call, connection, () -> updateOn(call, connection)))
            : inTransaction && call.text().isCommit()
                ? connection.committing(() -> updateUnsigned(call, connection))
                : updateUnsigned(call, connection);
    forgetSchemas(call, connection);
    place.release(call.isClean());
    return rows;
  }

  /** A procedure may have made DuckLake forget schemas that it has read. */
  private static void forgetSchemas(Call call, EngineConnection connection) {
    if (call.admitted().statement().mayCallProcedure()) {
      connection.schemasForgotten();
    }
  }

  /** In its session's transaction, or in one that changes nothing of the lake, or in none. */
  private long updateUnsigned(Call call, EngineConnection connection) throws EngineException {
    Scope scope;
    try (var _ = call.cancellation().guard(connection)) {
      scope = gate.enter(call, connection);
    }
    try {
      long rows = updateOn(call, connection);
      scope.commit();
      return rows;
    } catch (EngineException | RuntimeException e) {
      scope.rollBack(e);
      throw e;
    }
  }

  private <T> T committed(Call call, EngineConnection connection, Signature.Work<T> work)
      throws EngineException {
    Scope scope = gate.enter(call, connection);
    Signature.Signing<T> signing = _ -> Signature.of(call.execution());
    return scope.isOpen()
        ? Signature.commitBegun(connection, call.cancellation(), work, signing)
        : Signature.commit(connection, call.cancellation(), work, signing);
  }

  /** A transaction that has failed already says so itself when it is committed. */
  private static void signQuietly(Call call, EngineConnection connection) {
    try {
      Signature.of(call.execution()).sign(connection);
    } catch (EngineException _) {
      // The commit will tell.
    }
  }

  private long updateOn(Call call, EngineConnection connection) throws EngineException {
    long rows = 0;
    SqlText text = call.isReader() && call.text().isBegin() ? READ_ONLY_BEGIN : call.text();
    try (var _ = call.cancellation().guard(connection);
        EngineStatement statement = connection.prepare(text)) {
      call.execution().planned();
      for (List<@Nullable Object> row : call.parameters().runs()) {
        statement.bind(row);
        if (statement.kind() == Kind.QUERY) {
          drain(statement);
        } else {
          rows += statement.executeUpdate();
        }
      }
    } catch (EngineException e) {
      if (text.isEnd()) {
        connection.ended(e);
      }
      throw e;
    }
    call.session().ran(call.text(), connection, holdings);
    return rows;
  }

  /** A query that was sent as an update: it runs to its end, and changes no rows. */
  private static void drain(EngineStatement statement) throws EngineException {
    try (BatchStream stream = statement.executeQuery()) {
      while (stream.next()) {
        // Nobody asked for the rows.
      }
    }
  }

  private static BatchStream spooled(Call call, EngineConnection connection)
      throws EngineException {
    try (EngineStatement statement = connection.prepare(call.text())) {
      call.execution().planned();
      SpoolableStream rows;
      try (var _ = call.cancellation().guard(connection)) {
        rows =
            new SpoolableStream(
                call.parameters().query(statement), connection, call.cancellation());
      }
      try {
        rows.spoolAll();
        return rows;
      } catch (EngineException | RuntimeException e) {
        rows.close();
        throw e;
      }
    }
  }
}
