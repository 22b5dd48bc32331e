package com.lokryn.ducklake.query;

import com.lokryn.ducklake.observe.QueryId;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One statement of a client's, from its start to the end of its result: meanwhile its session is
 * busy and its time runs. However it ends, its end is said once. Thread-safe.
 */
final class Execution {
  private static final Logger LOG = LoggerFactory.getLogger(QueryService.class);

  private final QueryId id;
  private final Session session;
  private final String kind;
  private final Cancellation cancellation;
  private final Deadlines deadlines;
  private final long startedNanos = System.nanoTime();
  private final AtomicBoolean ended = new AtomicBoolean();

  private Execution(
      QueryId id, Session session, String kind, Cancellation cancellation, Deadlines deadlines) {
    this.id = id;
    this.session = session;
    this.kind = kind;
    this.cancellation = cancellation;
    this.deadlines = deadlines;
  }

  /**
   * @param kind what it does, for the log
   */
  static Execution begin(
      QueryId id, Session session, String kind, Cancellation cancellation, Deadlines deadlines) {
    var execution = new Execution(id, session, kind, cancellation, deadlines);
    session.begin();
    deadlines.begin(cancellation);
    return execution;
  }

  QueryId id() {
    return id;
  }

  Session session() {
    return session;
  }

  String kind() {
    return kind;
  }

  Cancellation cancellation() {
    return cancellation;
  }

  /** Ends it; the first to know how says it. */
  void end(Outcome outcome) {
    if (!ended.compareAndSet(false, true)) {
      return;
    }
    deadlines.end(cancellation);
    session.end();
    var event =
        LOG.atInfo()
            .addKeyValue("query_id", id.value())
            .addKeyValue("session", session.id())
            .addKeyValue("kind", kind)
            .addKeyValue("outcome", outcome.word())
            .addKeyValue("ms", (System.nanoTime() - startedNanos) / 1_000_000);
    event =
        switch (outcome) {
          case Outcome.Done(long rows, long bytes) ->
              event.addKeyValue("rows", rows).addKeyValue("bytes", bytes);
          case Outcome.Cancelled(Problem by) -> event.addKeyValue("by", by);
          // The text may hold values of the statement: the client has it.
          case Outcome.Failed _, Outcome.Abandoned _ -> event;
        };
    event.log("query ended");
  }

  /** Ends it as what was thrown says. */
  void end(Throwable thrown) {
    end(
        thrown instanceof QueryException e
            ? new Outcome.Cancelled(e.problem())
            : new Outcome.Failed(String.valueOf(thrown.getMessage())));
  }
}
