package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.ArrowTypes;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineStatement;
import com.lokryn.ducklake.engine.EngineStatement.Kind;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.gate.Gate;
import com.lokryn.ducklake.observe.QueryId;
import com.lokryn.ducklake.query.Execution.Subject;
import com.lokryn.ducklake.query.PreparedQuery.Planned;
import com.lokryn.ducklake.query.Scope.Sight;
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
          cancellation, () -> plan(new Task(session, admitted, share, cancellation)));
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
    var task = new Task(session, admitted.orElseThrow(), share, new Cancellation());
    return Optional.of(unplanned(task, schema.get()));
  }

  private static long bytes(String sql) {
    return PREPARED_BYTES + 2L * sql.length();
  }

  /** What is to be planned, and for whom. */
  private record Task(
      Session session, Admitted admitted, Budget.Share share, Cancellation cancellation) {
    SqlText text() {
      return admitted.text();
    }
  }

  private PreparedQuery plan(Task task) throws EngineException {
    if (task.admitted.statement().isKill()) {
      return prepared(task, Kind.CHANGES, CompletedUpdate.COUNT, NO_PARAMETERS);
    }
    Optional<PreparedQuery> early = planEarly(task);
    return early.isPresent()
        ? early.get()
        : task.session.run(task.cancellation, place -> planIn(place, task));
  }

  /** Plans a read without a transaction of its own, as {@link QueryService} starts one. */
  private Optional<PreparedQuery> planEarly(Task task) throws EngineException {
    Namespace namespace = task.session.namespace();
    Optional<Sight> sight = gate.sight(task.session, namespace, task.admitted);
    if (sight.isEmpty()) {
      return Optional.empty();
    }
    Optional<Schema> kept =
        reuse.key(task.session, namespace, task.admitted, sight).flatMap(reuse::schema);
    if (kept.isPresent()) {
      return Optional.of(unplanned(task, kept.get()));
    }
    return task.session.runWithin(
        namespace,
        sight.get(),
        task.cancellation,
        (place, scope) -> {
          try (var _ = task.cancellation.guard(place.connection())) {
            return planned(place, scope, task);
          }
        });
  }

  private PreparedQuery unplanned(Task task, Schema schema) {
    return prepared(task, Kind.QUERY, schema, NO_PARAMETERS);
  }

  private PreparedQuery prepared(Task task, Kind kind, Schema result, Schema parameters) {
    return new PreparedQuery(
        QueryId.random(), task.session, task.admitted, kind, result, parameters, task.share, plans);
  }

  private PreparedQuery planIn(Place place, Task task) throws EngineException {
    EngineConnection connection = place.connection();
    if (task.text().isRunByPlanning()) {
      Schema none = types.schema(connection, List.of());
      place.release(true);
      return prepared(task, Kind.NOTHING, CompletedUpdate.COUNT, none);
    }
    try (var _ = task.cancellation.guard(connection)) {
      Namespace namespace = task.session.namespace();
      Scope scope = gate.enter(task.session, namespace, task.admitted, connection);
      Optional<Schema> kept =
          reuse.key(task.session, namespace, task.admitted, scope.sight()).flatMap(reuse::schema);
      if (kept.isPresent()) {
        place.release(scope, task.admitted.leavesNoState());
        return unplanned(task, kept.get());
      }
      return planned(place, scope, task);
    }
  }

  private PreparedQuery planned(Place place, Scope scope, Task task) throws EngineException {
    EngineConnection connection = place.connection();
    EngineStatement statement;
    PreparedQuery prepared;
    try {
      statement = connection.prepare(task.text());
      Kind kind = statement.kind();
      if (kind == Kind.QUERY) {
        statement.requireRepresentable();
      }
      prepared =
          prepared(
              task,
              kind,
              kind == Kind.QUERY
                  ? types.schema(connection, statement.columns())
                  : CompletedUpdate.COUNT,
              types.schema(connection, statement.parameters()));
    } catch (EngineException | RuntimeException e) {
      scope.rollBack(e);
      throw e;
    }
    keep(prepared, statement, place, scope, task);
    return prepared;
  }

  /**
   * Keeps the plan for the first run; or the transaction, where that saves more: in one that is
   * open, planning asks the catalog nothing.
   */
  private void keep(
      PreparedQuery prepared, EngineStatement statement, Place place, Scope scope, Task task)
      throws EngineException {
    boolean clean = task.admitted.leavesNoState();
    if (!place.isOwn()) {
      statement.close();
      scope.commit();
    } else if (!task.admitted.statement().serverTables().isEmpty()) {
      // What it shows is made anew for each run.
      statement.close();
      place.release(scope, false);
    } else if (clean && isReadEarly(task, scope)) {
      statement.close();
      place.release(scope, true);
    } else {
      scope.commit();
      prepared.give(new Planned(place.connection(), statement, task.session.namespace(), clean));
    }
  }

  private boolean isReadEarly(Task task, Scope scope) {
    return gate.knowsNewest()
        && scope
            .sight()
            .filter(seen -> Gate.isStable(task.admitted.statement(), seen.objects()))
            .isPresent();
  }
}
