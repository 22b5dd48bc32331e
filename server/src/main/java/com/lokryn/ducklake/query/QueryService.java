package com.lokryn.ducklake.query;

import com.lokryn.ducklake.cache.CacheKey;
import com.lokryn.ducklake.cache.ResultCache;
import com.lokryn.ducklake.engine.ArrowTypes;
import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineStatement;
import com.lokryn.ducklake.engine.EngineStatement.Kind;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.NewestSnapshot;
import com.lokryn.ducklake.gate.Gate;
import com.lokryn.ducklake.observe.QueryListener;
import com.lokryn.ducklake.query.Execution.Subject;
import com.lokryn.ducklake.query.Holdings.Hold;
import com.lokryn.ducklake.query.PreparedQuery.Planned;
import com.lokryn.ducklake.query.Scope.Sight;
import com.lokryn.ducklake.query.Session.Place;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Plans and runs statements. A statement runs on a connection of its own, unless its session holds
 * state that it has to see. Callers are threads that may enter the engine. Thread-safe.
 */
public final class QueryService {
  private final StatementGate gate;
  private final Holdings holdings;
  private final Reuse reuse;
  private final Planning planning;
  private final Changes changes;
  private final Partitions partitions;
  private final Administration administration;
  private final Executions executions;
  private final long maxResultBytes;

  /**
   * @param gate that statements have to pass
   * @param newest tells what a read would see, without the engine
   * @param cache of results
   * @param holdings of which each open result takes one
   * @param timeout how long a statement may take, with the sending of its result
   * @param maxResultBytes how large a result may be
   * @param onFailure told of each failure of the engine, since one may cost the whole instance
   * @param renewal asked when a statement fails that may be run once more
   * @param listener told of each statement
   */
  public QueryService(
      Gate gate,
      Optional<NewestSnapshot> newest,
      Holdings holdings,
      ResultCache cache,
      ArrowTypes types,
      Duration timeout,
      long maxResultBytes,
      InstantSource clock,
      Consumer<EngineException> onFailure,
      Renewal renewal,
      QueryListener listener,
      ActiveQueries active,
      Administration administration) {
    this.administration = administration;
    this.gate = new StatementGate(gate, newest, administration.tables());
    this.holdings = holdings;
    this.reuse = new Reuse(cache);
    this.executions =
        new Executions(
            holdings, new Deadlines(clock, timeout), onFailure, renewal, listener, active);
    this.partitions = new Partitions(this.gate, executions);
    this.changes = new Changes(this.gate, holdings);
    this.planning = new Planning(this.gate, reuse, types, executions);
    this.maxResultBytes = maxResultBytes;
  }

  /** The server's own questions to the engine. */
  public interface Question<T> {
    T ask(EngineConnection connection) throws EngineException;
  }

  /** Asks where the session's statements run, so that it sees what they see. */
  public <T> T ask(Session session, Cancellation cancellation, Question<T> question)
      throws EngineException {
    return executions.watched(
        cancellation,
        () ->
            session.run(
                cancellation,
                place -> {
                  EngineConnection connection = place.connection();
                  T answer;
                  try (var _ = cancellation.guard(connection)) {
                    Scope scope = gate.enterListing(session, connection);
                    try {
                      answer = question.ask(connection);
                      scope.commit();
                    } catch (EngineException | RuntimeException e) {
                      scope.rollBack(e);
                      throw e;
                    }
                  }
                  place.release(!cancellation.isCancelled());
                  return answer;
                }));
  }

  /** Has the schema held that the connection's transaction sees. */
  void holdSchema(EngineConnection connection) throws EngineException {
    gate.holdSchema(connection);
  }

  /** Lets a question pass that looks at all views, in the connection's transaction. */
  void requireLists(Session session, EngineConnection connection) throws EngineException {
    gate.admitListing(session, connection);
  }

  /** Plans a statement without running it. */
  public PreparedQuery prepare(Session session, String sql, Cancellation cancellation)
      throws EngineException {
    return planning.prepare(session, sql, cancellation);
  }

  /**
   * As {@link #prepare}, for a statement whose result is at hand: without the engine, from any
   * thread. Empty where the engine has to be asked.
   */
  public Optional<PreparedQuery> prepareAtHand(Session session, String sql) {
    return planning.prepareAtHand(session, sql);
  }

  /**
   * Starts a query and leaves its result open, or runs a statement with effects to its end; either
   * is done once.
   */
  public QueryResult start(
      Session session, String sql, ResultSource source, Cancellation cancellation)
      throws EngineException {
    Namespace namespace = session.namespace();
    return accounted(
        session,
        namespace,
        admit(session, namespace, sql, cancellation),
        Parameters.NONE,
        source,
        cancellation,
        call -> executions.renewing(session, cancellation, () -> startNew(call)));
  }

  /** As {@link #start}, for a prepared statement with the values bound to it last. */
  public QueryResult start(PreparedQuery prepared, ResultSource source, Cancellation cancellation)
      throws EngineException {
    Session session = prepared.session();
    return accounted(
        session,
        session.namespace(),
        prepared.admitted(),
        prepared.parameters(),
        source,
        cancellation,
        call -> {
          Optional<Planned> planned =
              prepared.isQuery() && !Changes.areDueTogether(call) && !session.hasState()
                  ? prepared.take()
                  : Optional.empty();
          return executions.renewing(
              session,
              cancellation,
              () ->
                  planned.isPresent() && !planned.get().connection().isClosed()
                      ? startPlanned(call, prepared, planned.get())
                      : startNew(call));
        });
  }

  /**
   * As {@link #start}, for a statement whose result is at hand, since it looks at nothing in the
   * lake and was run before: without the engine, from any thread. Empty where the engine has to be
   * asked.
   */
  public Optional<QueryResult> startAtHand(Session session, String sql, Cancellation cancellation) {
    return gate.admitConstant(session, session.namespace(), sql)
        .flatMap(admitted -> startAtHand(session, admitted, cancellation));
  }

  /** The same for a prepared statement. */
  public Optional<QueryResult> startAtHand(PreparedQuery prepared, Cancellation cancellation) {
    return prepared.parameters().equals(Parameters.NONE)
        ? startAtHand(prepared.session(), prepared.admitted(), cancellation)
        : Optional.empty();
  }

  private Optional<QueryResult> startAtHand(
      Session session, Admitted admitted, Cancellation cancellation) {
    Namespace namespace = session.namespace();
    return reuse
        .constantKey(session, namespace, admitted)
        .flatMap(reuse::find)
        .map(
            stream -> {
              var execution = executions.begin(session, Subject.of(admitted), cancellation);
              return kept(
                  new Call(execution, namespace, admitted, Parameters.NONE, ResultSource.ANY),
                  stream);
            });
  }

  private QueryResult startPlanned(Call call, PreparedQuery prepared, Planned planned)
      throws EngineException {
    try {
      Scope scope;
      try (var _ = call.cancellation().guard(planned.connection())) {
        scope = gate.enter(call, planned.connection());
      }
      Optional<CacheKey> key = reuse.key(call, scope.sight());
      Optional<BatchStream> kept = key.flatMap(reuse::find);
      if (kept.isPresent()) {
        giveBack(prepared, planned, call, scope);
        return kept(call, kept.get());
      }
      long began = System.nanoTime();
      BatchStream stream;
      call.execution().planned();
      try (var _ = call.cancellation().guard(planned.connection())) {
        stream = reuse.keeping(key, call, began, call.parameters().query(planned.statement()));
      }
      return running(
          call,
          planned.connection(),
          stream,
          outcome -> {
            if (outcome instanceof Outcome.Done) {
              giveBack(prepared, planned, call, scope);
            } else {
              planned.close();
            }
          });
    } catch (EngineException | RuntimeException e) {
      planned.close();
      throw e;
    }
  }

  /** Keeps a plan for the next run. */
  private static void giveBack(PreparedQuery prepared, Planned planned, Call call, Scope scope) {
    if (!call.cancellation().isCancelled() && Session.isCommitted(scope)) {
      prepared.give(planned);
    } else {
      planned.close();
    }
  }

  private QueryResult startNew(Call call) throws EngineException {
    if (call.admitted().statement().isKill()) {
      return completed(call, kill(call));
    }
    Optional<QueryResult> early = startEarly(call);
    return early.isPresent()
        ? early.get()
        : call.session().run(call.text(), call.cancellation(), place -> startIn(place, call));
  }

  /**
   * Starts a read without a transaction of its own: from the cache, or in one that an earlier read
   * has left open. Empty where neither is there.
   */
  private Optional<QueryResult> startEarly(Call call) throws EngineException {
    Optional<Sight> sight = gate.sight(call.session(), call.namespace(), call.admitted());
    if (sight.isEmpty()) {
      return Optional.empty();
    }
    call.cancellation().check();
    Optional<CacheKey> key = reuse.key(call, sight);
    Optional<BatchStream> kept = key.flatMap(reuse::find);
    if (kept.isPresent()) {
      return Optional.of(kept(call, kept.get()));
    }
    return call.session()
        .runWithin(
            call.namespace(),
            sight.get(),
            call.cancellation(),
            (place, scope) -> startIn(place, scope, key, call));
  }

  private QueryResult startIn(Place place, Call call) throws EngineException {
    if (call.text().isRunByPlanning()) {
      return startUpdate(place, call);
    }
    Scope scope;
    try (var _ = call.cancellation().guard(place.connection())) {
      scope = gate.enter(call, place.connection());
    }
    Optional<CacheKey> key = reuse.key(call, scope.sight());
    Optional<BatchStream> kept = key.flatMap(reuse::find);
    if (kept.isPresent()) {
      place.release(scope, call.isClean());
      return kept(call, kept.get());
    }
    return startIn(place, scope, key, call);
  }

  private QueryResult startIn(Place place, Scope scope, Optional<CacheKey> key, Call call)
      throws EngineException {
    EngineConnection connection = place.connection();
    EngineStatement statement;
    boolean isQuery;
    BatchStream stream = null;
    long began = System.nanoTime();
    try (var _ = call.cancellation().guard(connection)) {
      try {
        statement = connection.prepare(call.text());
        call.execution().planned();
        isQuery = statement.kind() == Kind.QUERY;
        try {
          if (isQuery && !Changes.areDueTogether(call)) {
            stream = reuse.keeping(key, call, began, call.parameters().query(statement));
          } else {
            statement.close();
            scope.commit();
          }
        } catch (EngineException | RuntimeException e) {
          closeQuietly(statement);
          throw e;
        }
      } catch (EngineException | RuntimeException e) {
        scope.rollBack(e);
        throw e;
      }
    }
    if (stream == null) {
      return isQuery ? startTogether(place, call) : startUpdate(place, call);
    }
    call.session().ran(call.text(), connection, holdings);
    return running(
        call,
        connection,
        place.keep(stream, scope, call.cancellation()),
        outcome -> {
          closeQuietly(statement);
          place.release(scope, outcome instanceof Outcome.Done && call.isClean());
        });
  }

  private QueryResult kept(Call call, BatchStream stream) {
    call.execution().ready();
    return result(call, Optional.empty(), stream, _ -> {});
  }

  private QueryResult startUpdate(Place place, Call call) throws EngineException {
    return completed(call, changes.run(place, call));
  }

  private static QueryResult completed(Call call, long rows) {
    call.execution().end(new Outcome.Done(rows, 0));
    return new CompletedUpdate(call.execution().id(), call.session(), call.cancellation(), rows);
  }

  /** What it ends may be itself, or its own session. */
  private long kill(Call call) {
    administration.kill(call.admitted().statement(), call.session().identity());
    return 1;
  }

  /** Plans, runs and commits a query that changes the lake; its few rows wait to be read. */
  private QueryResult startTogether(Place place, Call call) throws EngineException {
    EngineConnection connection = place.connection();
    return running(
        call,
        connection,
        changes.query(call, connection),
        outcome -> place.release(outcome instanceof Outcome.Done && call.isClean()));
  }

  private static void closeQuietly(EngineStatement statement) {
    try {
      statement.close();
    } catch (EngineException _) {
      // Its connection has gone already.
    }
  }

  private RunningQuery running(
      Call call, EngineConnection connection, BatchStream stream, Consumer<Outcome> release)
      throws EngineException {
    // A transaction holds its connection itself.
    Optional<Hold> hold =
        call.session().inTransaction()
            ? Optional.empty()
            : Optional.of(holdings.take(call.session().user()));
    RunningQuery query =
        result(
            call,
            Optional.of(connection),
            stream,
            outcome -> {
              release.accept(outcome);
              hold.ifPresent(Hold::close);
            });
    query.prefetch();
    call.execution().opened(query);
    call.execution().ready();
    return query;
  }

  private RunningQuery result(
      Call call,
      Optional<EngineConnection> connection,
      BatchStream stream,
      Consumer<Outcome> release) {
    return new RunningQuery(
        call.execution().id(),
        call.session(),
        connection,
        stream,
        call.cancellation(),
        Portable.of(call.session(), call.text(), call.parameters()),
        maxResultBytes,
        release,
        call.execution()::end);
  }

  /** Starts a statement that another server has planned or run. */
  public QueryResult start(Session session, Portable portable, Cancellation cancellation)
      throws EngineException {
    return accounted(
        session,
        portable.namespace(),
        admit(session, portable.namespace(), portable.sql(), cancellation),
        Parameters.NONE,
        ResultSource.ANY,
        cancellation,
        call -> executions.renewing(session, cancellation, () -> startElsewhere(call, portable)));
  }

  private QueryResult startElsewhere(Call call, Portable portable) throws EngineException {
    return call.session().runAt(portable.namespace(), place -> startIn(place, call));
  }

  /**
   * Divides the result of a query into as many parts as its session asks for, and runs none of
   * them. Empty where it cannot be divided, or is not to be: then it is to be started.
   */
  public Optional<Partitioned> partition(Session session, String sql, Cancellation cancellation)
      throws EngineException {
    return session.partitions() > 1
        ? executions.before(
            session,
            () -> Subject.of(sql),
            cancellation,
            () ->
                partitions.divide(
                    session, gate.admit(session, session.namespace(), sql), cancellation))
        : Optional.empty();
  }

  /** As {@link #partition}, for a prepared statement; one with values is not divided. */
  public Optional<Partitioned> partition(PreparedQuery prepared, Cancellation cancellation)
      throws EngineException {
    return prepared.session().partitions() > 1 && !prepared.isBound()
        ? executions.before(
            prepared.session(),
            () -> Subject.of(prepared.admitted()),
            cancellation,
            () -> partitions.divide(prepared.session(), prepared.admitted(), cancellation))
        : Optional.empty();
  }

  /** Starts a part of a result that this or another server has divided. */
  public QueryResult start(Session session, Part part, Cancellation cancellation)
      throws EngineException {
    Namespace namespace = part.query().namespace();
    return accounted(
        session,
        namespace,
        admit(session, namespace, part.query().sql(), cancellation),
        Parameters.NONE,
        ResultSource.ENGINE,
        cancellation,
        call ->
            executions.renewing(
                session,
                cancellation,
                () -> session.runAt(namespace, place -> startPart(place, call, part))));
  }

  private QueryResult startPart(Place place, Call call, Part part) throws EngineException {
    Scope scope;
    Call narrowed;
    try (var _ = call.cancellation().guard(place.connection())) {
      scope = partitions.enter(call, place.connection());
      narrowed = call.as(partitions.text(part, call, scope, place.connection()));
    }
    return startIn(place, scope, Optional.empty(), narrowed);
  }

  /** Runs a statement to its end and returns the rows it changed. */
  public long update(Session session, String sql, Cancellation cancellation)
      throws EngineException {
    return update(
        session,
        admit(session, session.namespace(), sql, cancellation),
        Parameters.NONE,
        cancellation);
  }

  /** As {@link #update}, for a prepared statement with the values bound to it last. */
  public long update(PreparedQuery prepared, Cancellation cancellation) throws EngineException {
    return update(prepared.session(), prepared.admitted(), prepared.parameters(), cancellation);
  }

  private long update(
      Session session, Admitted admitted, Parameters parameters, Cancellation cancellation)
      throws EngineException {
    return accounted(
        session,
        session.namespace(),
        admitted,
        parameters,
        ResultSource.ENGINE,
        cancellation,
        call -> {
          long rows =
              executions.renewing(
                  session,
                  cancellation,
                  () ->
                      admitted.statement().isKill()
                          ? kill(call)
                          : session.run(
                              admitted.text(), cancellation, place -> changes.run(place, call)));
          call.execution().end(new Outcome.Done(rows, 0));
          return rows;
        });
  }

  /** Ends what takes too long; to be called every now and then. */
  public void sweep() {
    executions.sweep();
  }

  /** Lets a statement pass, or has it accounted as one that has failed. */
  private Admitted admit(
      Session session, Namespace namespace, String sql, Cancellation cancellation)
      throws EngineException {
    return executions.before(
        session, () -> Subject.of(sql), cancellation, () -> gate.admit(session, namespace, sql));
  }

  private <T> T accounted(
      Session session,
      Namespace namespace,
      Admitted admitted,
      Parameters parameters,
      ResultSource source,
      Cancellation cancellation,
      CallWork<T> work)
      throws EngineException {
    return executions.accounted(
        session,
        Subject.of(admitted),
        cancellation,
        execution -> work.run(new Call(execution, namespace, admitted, parameters, source)));
  }

  /** What other statements of clients are run by. */
  Executions executions() {
    return executions;
  }

  private interface CallWork<T> {
    T run(Call call) throws EngineException;
  }
}
