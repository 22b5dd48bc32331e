package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.observe.Phase;
import com.lokryn.ducklake.observe.Phases;
import com.lokryn.ducklake.observe.QueryId;
import com.lokryn.ducklake.observe.QueryKind;
import com.lokryn.ducklake.observe.QueryListener;
import com.lokryn.ducklake.observe.QueryRecord;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One statement of a client's, from its start to the end of its result: meanwhile its session is
 * busy and its time runs. However it ends, its end is said once. Thread-safe.
 */
final class Execution {
  private static final long NEVER = Long.MIN_VALUE;

  /**
   * What is executed.
   *
   * @param verb what it does
   * @param sql empty for an ingest
   */
  record Subject(String verb, String sql) {
    static Subject of(Admitted admitted) {
      return new Subject(admitted.text().verb(), admitted.text().sql());
    }

    /** That of a statement which was not let pass. */
    static Subject of(String sql) {
      return new Subject(SqlText.of(sql).verb(), sql);
    }
  }

  private final QueryId id;
  private final Session session;
  private final Subject subject;
  private final Cancellation cancellation;
  private final Deadlines deadlines;
  private final QueryListener listener;
  private final ActiveQueries active;

  // When its phases began, by System.nanoTime.
  private final long asked;
  private final long turn;
  private volatile long planned = NEVER;
  private volatile long ready = NEVER;

  /** Its result, once there is one to be read. */
  private volatile @Nullable RunningQuery result;

  private final AtomicBoolean ended = new AtomicBoolean();

  private Execution(
      QueryId id,
      Session session,
      Subject subject,
      Cancellation cancellation,
      Deadlines deadlines,
      QueryListener listener,
      ActiveQueries active) {
    this.active = active;
    this.id = id;
    this.session = session;
    this.subject = subject;
    this.cancellation = cancellation;
    this.deadlines = deadlines;
    this.listener = listener;
    long now = System.nanoTime();
    this.turn = cancellation.request().turnOr(now);
    this.asked = cancellation.request().askedOr(this.turn);
  }

  /**
   * Begins one.
   *
   * @param listener told of its beginning and its end
   * @param active where it is found meanwhile
   */
  static Execution begin(
      QueryId id,
      Session session,
      Subject subject,
      Cancellation cancellation,
      Deadlines deadlines,
      QueryListener listener,
      ActiveQueries active) {
    var execution = new Execution(id, session, subject, cancellation, deadlines, listener, active);
    if (active.areWatched()) {
      cancellation.watch();
    }
    active.add(execution);
    session.begin();
    deadlines.begin(cancellation);
    listener.began();
    return execution;
  }

  QueryId id() {
    return id;
  }

  Session session() {
    return session;
  }

  /** What it does, in the first word of the statement. */
  String verb() {
    return subject.verb;
  }

  /** The same in one of a few words. */
  QueryKind kind() {
    return QueryKind.of(subject.verb);
  }

  /** The statement with its values; empty for an ingest. */
  String sql() {
    return subject.sql;
  }

  /** How long ago it was sent. */
  long ageNanos() {
    return System.nanoTime() - asked;
  }

  /** What it does now. */
  Phase phase() {
    if (ready != NEVER) {
      return Phase.STREAM;
    }
    return planned == NEVER ? Phase.PLAN : Phase.FIRST_BATCH;
  }

  /** Its result is there to be read. */
  void opened(RunningQuery opened) {
    result = opened;
  }

  /** Rows that its client had so far. */
  long rows() {
    RunningQuery opened = result;
    return opened == null ? 0 : opened.rows();
  }

  /** The bytes of their batches. */
  long bytes() {
    RunningQuery opened = result;
    return opened == null ? 0 : opened.bytes();
  }

  Cancellation cancellation() {
    return cancellation;
  }

  /** Its plan is there; of several attempts the last one counts. */
  void planned() {
    planned = System.nanoTime();
  }

  /** Its first batch is there. */
  void ready() {
    long now = System.nanoTime();
    if (planned == NEVER) {
      planned = now;
    }
    ready = now;
  }

  /** Ends it; the first to know how says it. */
  void end(Outcome outcome) {
    if (!ended.compareAndSet(false, true)) {
      return;
    }
    active.remove(this);
    deadlines.end(cancellation);
    session.end();
    long rows = 0;
    long bytes = 0;
    Optional<String> cause = Optional.empty();
    switch (outcome) {
      case Outcome.Done done -> {
        rows = done.rows();
        bytes = done.bytes();
      }
      case Outcome.Cancelled(Problem by) -> cause = Optional.of(word(by.name()));
      // Not the text, which may hold values of the statement: the client has it.
      case Outcome.Failed failed -> cause = Optional.of(word(failed.kind()));
      case Outcome.Abandoned _ -> {}
    }
    listener.ended(
        new QueryRecord(
            id,
            session.user(),
            session.id(),
            QueryKind.of(subject.verb),
            outcome.word(),
            cause,
            phases(),
            rows,
            bytes,
            subject.sql,
            cancellation.request()));
  }

  private static String word(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  private Phases phases() {
    long now = System.nanoTime();
    return new Phases(
        asked, turn, planned == NEVER ? now : planned, ready == NEVER ? now : ready, now);
  }

  /** Ends it as what was thrown says. */
  void end(Throwable thrown) {
    end(Outcome.of(thrown));
  }
}
