package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.observe.QueryId;
import com.lokryn.ducklake.observe.QueryListener;
import com.lokryn.ducklake.query.Execution.Subject;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What every piece of engine work for a client has around it: its time runs, its failures are
 * looked at, and it is tried again where that can help. Thread-safe.
 */
final class Executions {
  interface Work<T> {
    T run() throws EngineException;
  }

  interface ExecutionWork<T> {
    T run(Execution execution) throws EngineException;
  }

  private final Holdings holdings;
  private final Deadlines deadlines;
  private final Consumer<EngineException> onFailure;
  private final Renewal renewal;
  private final QueryListener listener;
  private final ActiveQueries active;

  /**
   * @param holdings in which there must be room for a statement
   * @param onFailure told of each failure of the engine, since one may cost the whole instance
   * @param renewal asked when a statement fails that may be run once more
   * @param listener told of each statement
   * @param active where statements are found that are not over
   */
  Executions(
      Holdings holdings,
      Deadlines deadlines,
      Consumer<EngineException> onFailure,
      Renewal renewal,
      QueryListener listener,
      ActiveQueries active) {
    this.active = active;
    this.holdings = holdings;
    this.deadlines = deadlines;
    this.onFailure = onFailure;
    this.renewal = renewal;
    this.listener = listener;
  }

  /** Ends what takes too long; to be called every now and then. */
  void sweep() {
    deadlines.sweep();
  }

  /** Engine work of a call that is no statement of its client's; its time runs all the same. */
  <T> T watched(Cancellation cancellation, Work<T> work) throws EngineException {
    deadlines.begin(cancellation);
    try {
      return reported(cancellation, work);
    } finally {
      deadlines.end(cancellation);
    }
  }

  /**
   * A statement of a client's. Work that returns has ended it, or left a result open that does; one
   * that throws has it ended here.
   */
  <T> T accounted(
      Session session, Subject subject, Cancellation cancellation, ExecutionWork<T> work)
      throws EngineException {
    var execution = begin(session, subject, cancellation);
    try {
      if (!session.inTransaction()) {
        holdings.require(session.user());
      }
      return reported(cancellation, () -> work.run(execution));
    } catch (EngineException | RuntimeException e) {
      execution.end(e);
      throw e;
    }
  }

  /** A statement of a client's that needs nothing of the engine; whoever asks for it ends it. */
  Execution begin(Session session, Subject subject, Cancellation cancellation) {
    return Execution.begin(
        QueryId.random(), session, subject, cancellation, deadlines, listener, active);
  }

  /**
   * Work without which a statement is not run, as letting it pass and planning it for later: where
   * it fails the statement has. One that meets a limit has not begun.
   *
   * @param subject asked for only then
   */
  <T> T before(Session session, Supplier<Subject> subject, Cancellation cancellation, Work<T> work)
      throws EngineException {
    try {
      return work.run();
    } catch (EngineException | RuntimeException e) {
      if (!(e instanceof QueryException ended && ended.problem() == Problem.LIMIT)) {
        begin(session, subject.get(), cancellation).end(e);
      }
      throw e;
    }
  }

  /**
   * Runs a statement that nothing has come of for its client yet, and once more where it failed for
   * want of what has been renewed since. In a transaction, or beside temporary objects, it has left
   * something behind.
   */
  <T> T renewing(Session session, Cancellation cancellation, Work<T> work) throws EngineException {
    long before = renewal.count();
    try {
      return Shortage.waiting(session, cancellation, work);
    } catch (EngineException e) {
      if (cancellation.isCancelled() || !renewal.renew(before, e) || session.hasState()) {
        throw e;
      }
      return work.run();
    }
  }

  /** A failure is looked at; that of a cancelled statement becomes the reason. */
  private <T> T reported(Cancellation cancellation, Work<T> work) throws EngineException {
    try {
      return work.run();
    } catch (EngineException e) {
      onFailure.accept(e);
      cancellation.check();
      throw e;
    }
  }
}
