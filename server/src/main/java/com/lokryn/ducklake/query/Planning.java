package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.ArrowTypes;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineStatement;
import com.lokryn.ducklake.engine.EngineStatement.Kind;
import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.observe.QueryId;
import com.lokryn.ducklake.query.Execution.Subject;
import com.lokryn.ducklake.query.PreparedQuery.Planned;
import com.lokryn.ducklake.query.Session.Place;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Plans statements for later runs. One whose result is kept needs no plan: what it gives is known,
 * and it has no parameters. Thread-safe.
 */
final class Planning {
  /** About what a prepared statement takes besides its text. */
  private static final long PREPARED_BYTES = 16 << 10;

  /** Each holds a connection of the engine, and in it what it was planned with. */
  private static final int MAX_PLANS = 256;

  private static final Schema NO_PARAMETERS = new Schema(List.of());

  /**
   * Texts and parameters of prepared statements lie on the heap, of which they may have a fifth.
   */
  private final Budget budget = new Budget(96L << 20, "prepared statements and bound parameters");

  private final Plans plans = new Plans(MAX_PLANS);
  private final StatementGate gate;
  private final Reuse reuse;
  private final ArrowTypes types;
  private final Executions executions;

  Planning(StatementGate gate, Reuse reuse, ArrowTypes types, Executions executions) {
    this.gate = gate;
    this.reuse = reuse;
    this.types = types;
    this.executions = executions;
  }

  /** Plans a statement without running it. */
  PreparedQuery prepare(Session session, String sql, Cancellation cancellation)
      throws EngineException {
    return executions.before(
        session, () -> Subject.of(sql), cancellation, () -> prepareNew(session, sql, cancellation));
  }

  private PreparedQuery prepareNew(Session session, String sql, Cancellation cancellation)
      throws EngineException {
    Admitted admitted = gate.admit(session, session.namespace(), sql);
    Budget.Share share = budget.share();
    try {
      share.resize(bytes(sql));
      return executions.watched(
          cancellation,
          () ->
              session.run(
                  cancellation, place -> plan(session, admitted, share, place, cancellation)));
    } catch (EngineException | RuntimeException e) {
      share.close();
      throw e;
    }
  }

  /** The same for a statement whose result is at hand; see {@link QueryService#prepareAtHand}. */
  Optional<PreparedQuery> prepareAtHand(Session session, String sql) {
    Optional<Admitted> admitted = gate.admitConstant(session, session.namespace(), sql);
    Optional<Schema> schema =
        admitted
            .flatMap(known -> reuse.constantKey(session, session.namespace(), known))
            .flatMap(reuse::schema);
    if (schema.isEmpty()) {
      return Optional.empty();
    }
    Budget.Share share = budget.share();
    try {
      share.resize(bytes(sql));
    } catch (QueryException _) {
      // Room is made where that may take its time.
      share.close();
      return Optional.empty();
    }
    return Optional.of(unplanned(session, admitted.orElseThrow(), schema.get(), share));
  }

  private static long bytes(String sql) {
    return PREPARED_BYTES + 2L * sql.length();
  }

  private PreparedQuery unplanned(
      Session session, Admitted admitted, Schema schema, Budget.Share share) {
    return new PreparedQuery(
        QueryId.random(), session, admitted, Kind.QUERY, schema, NO_PARAMETERS, share, plans);
  }

  private PreparedQuery plan(
      Session session,
      Admitted admitted,
      Budget.Share share,
      Place place,
      Cancellation cancellation)
      throws EngineException {
    EngineConnection connection = place.connection();
    SqlText text = admitted.text();
    if (text.isRunByPlanning()) {
      Schema none = types.schema(connection, List.of());
      place.release(true);
      return new PreparedQuery(
          QueryId.random(),
          session,
          admitted,
          Kind.NOTHING,
          CompletedUpdate.COUNT,
          none,
          share,
          plans);
    }
    try (var _ = cancellation.guard(connection)) {
      Scope scope = gate.enter(session, session.namespace(), admitted, connection);
      Optional<Schema> kept =
          reuse.key(session, session.namespace(), admitted, scope).flatMap(reuse::schema);
      if (kept.isPresent()) {
        place.release(scope, text.leavesNoState());
        return unplanned(session, admitted, kept.get(), share);
      }
      EngineStatement statement;
      try {
        statement = connection.prepare(text);
        scope.commit();
      } catch (EngineException | RuntimeException e) {
        scope.rollBack(e);
        throw e;
      }
      return planned(session, admitted, statement, share, place);
    }
  }

  private PreparedQuery planned(
      Session session,
      Admitted admitted,
      EngineStatement statement,
      Budget.Share share,
      Place place)
      throws EngineException {
    EngineConnection connection = place.connection();
    Kind kind = statement.kind();
    if (kind == Kind.QUERY) {
      statement.requireRepresentable();
    }
    var prepared =
        new PreparedQuery(
            QueryId.random(),
            session,
            admitted,
            kind,
            kind == Kind.QUERY
                ? types.schema(connection, statement.columns())
                : CompletedUpdate.COUNT,
            types.schema(connection, statement.parameters()),
            share,
            plans);
    if (place.isOwn()) {
      prepared.give(
          new Planned(connection, statement, session.namespace(), admitted.text().leavesNoState()));
    } else {
      statement.close();
    }
    return prepared;
  }
}
