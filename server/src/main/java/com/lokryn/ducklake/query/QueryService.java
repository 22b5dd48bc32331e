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
import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.gate.Gate;
import com.lokryn.ducklake.observe.QueryListener;
import com.lokryn.ducklake.query.Execution.Subject;
import com.lokryn.ducklake.query.Holdings.Hold;
import com.lokryn.ducklake.query.PreparedQuery.Planned;
import com.lokryn.ducklake.query.Scope.Sight;
import com.lokryn.ducklake.query.Session.Place;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Plans and runs statements. A statement runs on a connection of its own, unless its session holds
 * state that it has to see. Callers are threads that may enter the engine. Thread-safe.
 */
public final class QueryService {
  /** A reader's transaction cannot write to the lake, whatever its statements were taken for. */
  private static final SqlText READ_ONLY_BEGIN = SqlText.of("BEGIN TRANSACTION READ ONLY");

  private final StatementGate gate;
  private final Holdings holdings;
  private final Reuse reuse;
  private final Planning planning;
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
              prepared.isQuery() && !isDueTogether(call) && !session.hasState()
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
        scope = enter(call, planned.connection());
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
        stream = reuse.keeping(key, call, began, execute(planned.statement(), call.parameters()));
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

  private Scope enter(Call call, EngineConnection connection) throws EngineException {
    return gate.enter(call.session(), call.namespace(), call.admitted(), connection);
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
      scope = enter(call, place.connection());
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
          if (isQuery && !isDueTogether(call)) {
            stream = reuse.keeping(key, call, began, execute(statement, call.parameters()));
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
    return completed(call, updateIn(place, call));
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

  /** Must be planned, run and committed in one transaction, and is in none. */
  private static boolean isDueTogether(Call call) {
    boolean changes = call.admitted().statement().mayChangeLake() && !call.isReader();
    return (call.text().isCompaction() || changes) && !call.session().inTransaction();
  }

  /** Plans, runs and commits a query that changes the lake; its few rows wait to be read. */
  private QueryResult startTogether(Place place, Call call) throws EngineException {
    EngineConnection connection = place.connection();
    BatchStream rows =
        Conflicts.retrying(
            call.cancellation(),
            () -> committed(call, connection, () -> spooled(call, connection)));
    return running(
        call,
        connection,
        rows,
        outcome -> place.release(outcome instanceof Outcome.Done && call.isClean()));
  }

  private static BatchStream spooled(Call call, EngineConnection connection)
      throws EngineException {
    try (EngineStatement statement = connection.prepare(call.text())) {
      call.execution().planned();
      SpoolableStream rows;
      try (var _ = call.cancellation().guard(connection)) {
        rows =
            new SpoolableStream(
                execute(statement, call.parameters()), connection, call.cancellation());
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

  private static void closeQuietly(EngineStatement statement) {
    try {
      statement.close();
    } catch (EngineException _) {
      // Its connection has gone already.
    }
  }

  private static BatchStream execute(EngineStatement statement, Parameters parameters)
      throws EngineException {
    if (parameters.isMany()) {
      return new RepeatedStream(statement, parameters.rows());
    }
    statement.bind(parameters.first());
    return statement.executeQuery();
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
                              admitted.text(), cancellation, place -> updateIn(place, call)));
          call.execution().end(new Outcome.Done(rows, 0));
          return rows;
        });
  }

  private long updateIn(Place place, Call call) throws EngineException {
    EngineConnection connection = place.connection();
    boolean inTransaction = call.session().inTransaction();
    if (inTransaction && call.text().isCommit()) {
      signQuietly(call, connection);
    }
    call.session().keep(call.admitted().statement());
    long rows =
        isDueTogether(call)
            ? Conflicts.retrying(
                call.cancellation(),
                () -> committed(call, connection, () -> updateOn(call, connection)))
            : updateUnsigned(call, connection);
    place.release(call.isClean());
    return rows;
  }

  /** In its session's transaction, or in one that changes nothing of the lake, or in none. */
  private long updateUnsigned(Call call, EngineConnection connection) throws EngineException {
    Scope scope;
    try (var _ = call.cancellation().guard(connection)) {
      scope = enter(call, connection);
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
    Scope scope = enter(call, connection);
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
