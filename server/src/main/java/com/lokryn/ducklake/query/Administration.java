package com.lokryn.ducklake.query;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.gate.Statement;
import com.lokryn.ducklake.observe.Phase;
import com.lokryn.ducklake.query.QueryHistory.Past;
import com.lokryn.ducklake.query.ServerTables.Column;
import com.lokryn.ducklake.query.ServerTables.Table;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What users see of the server's work, and end: of their own, or of anybody's for administrators.
 * It is this server's work; others of the same lake have their own. Thread-safe.
 */
public final class Administration {
  private static final double NANOS_PER_MS = 1e6;

  private final Sessions sessions;
  private final ActiveQueries active;
  private final QueryHistory history;
  private final ServerTables tables;

  /**
   * @param turns that statements wait for
   */
  public Administration(
      Sessions sessions,
      ActiveQueries active,
      QueryHistory history,
      Admission turns,
      InstantSource clock) {
    this.sessions = sessions;
    this.active = active;
    this.history = history;
    this.tables = new ServerTables(queries(clock), sessionTable(turns), log(history));
  }

  /** The tables that show it. */
  public ServerTables tables() {
    return tables;
  }

  /** True for one's own, and for an administrator. */
  static boolean mayActOn(Identity identity, String owner) {
    return identity.role() == Role.ADMIN || identity.name().equals(owner);
  }

  /**
   * Ends what a statement of KILL names.
   *
   * @throws QueryException where there is no such thing, or it is not theirs, which is told alike
   */
  void kill(Statement statement, Identity by) {
    String id = statement.name().orElseThrow();
    boolean isQuery = statement.kind() == Statement.Kind.KILL_QUERY;
    if (!(isQuery ? killQuery(id, by) : killSession(id, by))) {
      throw new QueryException(
          Problem.UNKNOWN_HANDLE,
          isQuery
              ? "no query of the id %s runs on this server, or it is not yours: see server.queries"
                  .formatted(id)
              : "there is no session of the id %s on this server, or it is not yours: see server.sessions"
                  .formatted(id));
    }
  }

  /**
   * The beginning of a statement that runs, or ended not long ago.
   *
   * @return empty where there is none of that id, or it is not theirs
   */
  public Optional<String> sql(String id, Identity reader) {
    Optional<String> running =
        active
            .find(id)
            .filter(execution -> mayActOn(reader, execution.session().user()))
            .map(execution -> QueryHistory.beginning(execution.sql()));
    return running.isPresent()
        ? running
        : history.all().stream()
            .filter(past -> past.query().id().value().equals(id))
            .filter(past -> mayActOn(reader, past.query().user()))
            .map(Past::sql)
            .findFirst();
  }

  /** Ends a statement; false where there is none of that id, or it is not theirs. */
  public boolean killQuery(String id, Identity by) {
    return active
        .find(id)
        .filter(execution -> mayActOn(by, execution.session().user()))
        .map(
            execution -> {
              kill(execution, "the query was ended by KILL QUERY", by);
              return true;
            })
        .orElse(false);
  }

  /**
   * Ends a session and all that it does; false where there is none of that id, or it is not theirs.
   */
  public boolean killSession(String id, Identity by) {
    return sessions
        .kill(id, session -> mayActOn(by, session.user()))
        .map(
            session -> {
              for (Execution execution : active.all()) {
                if (execution.session() == session) {
                  kill(execution, "the session was ended by KILL SESSION", by);
                }
              }
              session.close();
              return true;
            })
        .orElse(false);
  }

  private static void kill(Execution execution, String what, Identity by) {
    execution.cancellation().cancel(Problem.KILLED, "%s of the user %s".formatted(what, by.name()));
  }

  private Table<Execution> queries(InstantSource clock) {
    return new Table<>(
        "queries",
        execution -> execution.session().user(),
        active::all,
        List.of(
            text("query_id", "for KILL QUERY", execution -> execution.id().value()),
            text("user", "whose it is", execution -> execution.session().user()),
            text("session_id", "for KILL SESSION", execution -> execution.session().id()),
            text("kind", "what it does, in a word", execution -> execution.kind().label()),
            text(
                "phase",
                "plan, first_batch (it is executed) or stream (its result waits or is sent)",
                execution -> execution.phase().label()),
            time(
                "started",
                "when it was sent",
                execution -> clock.instant().minusNanos(execution.ageNanos())),
            millis("elapsed_ms", "since then", Execution::ageNanos),
            number("rows", "that were sent so far", Execution::rows),
            number("bytes", "of the batches that were sent so far", Execution::bytes),
            new Column<>(
                "progress",
                "DOUBLE",
                "from 0 to 1, where its client asks for it (PollFlightInfo)",
                execution -> {
                  double progress = execution.cancellation().progress().orElse(Double.NaN);
                  return Double.isNaN(progress) ? null : progress;
                }),
            text("sql", "the statement", execution -> QueryHistory.beginning(execution.sql()))));
  }

  private Table<Sessions.View> sessionTable(Admission turns) {
    return new Table<>(
        "sessions",
        view -> view.session().user(),
        sessions::views,
        List.of(
            text("session_id", "for KILL SESSION", view -> view.session().id()),
            text("user", "whose it is", view -> view.session().user()),
            text("role", "of the user", view -> view.session().identity().role().text()),
            number("connections", "that use it", Sessions.View::connections),
            number(
                "waiting",
                "requests that wait for their turn",
                view -> turns.waiting(view.session())),
            number("queries", "that run or are read in it", view -> view.session().active()),
            flag(
                "in_transaction",
                "between BEGIN and its end",
                view -> view.session().isHoldingTransaction()),
            flag(
                "has_state",
                "it has a connection of the engine to itself, for temporary objects for instance",
                view -> view.session().hasState()),
            text(
                "catalog",
                "where its names are looked up",
                view -> view.session().namespace().catalog()),
            text(
                "schema",
                "where its names are looked up",
                view -> view.session().namespace().schema()),
            time("started", "when it began", Sessions.View::started),
            time("used", "when it was used last", Sessions.View::used)));
  }

  private static Table<Past> log(QueryHistory history) {
    return new Table<>(
        "query_log",
        past -> past.query().user(),
        history::all,
        List.of(
            text("query_id", "as in the log of the server", past -> past.query().id().value()),
            text("user", "whose it was", past -> past.query().user()),
            text("session_id", "in which it ran", past -> past.query().session()),
            text("kind", "what it did, in a word", past -> past.query().kind().label()),
            text("outcome", "how it ended, in a word", past -> past.query().outcome().label()),
            text(
                "cause",
                "what ended it, where it did not end well",
                past -> past.query().cause().orElse(null)),
            time("started", "when it was sent", Past::started),
            time("ended", "when all was over", Past::ended),
            millis("elapsed_ms", "in between", past -> past.query().phases().nanos()),
            phase(Phase.QUEUE, "it waited for its turn"),
            phase(Phase.PLAN, "it was looked at and planned"),
            phase(Phase.FIRST_BATCH, "it was executed, up to the first rows"),
            phase(Phase.STREAM, "its result waited for its client, and was sent"),
            number("rows", "that were sent or changed", past -> past.query().rows()),
            number("bytes", "of the batches that were sent", past -> past.query().bytes()),
            text("sql", "the beginning of the statement", Past::sql)));
  }

  private static Column<Past> phase(Phase phase, String comment) {
    return millis(
        phase.label() + "_ms", "while " + comment, past -> past.query().phases().nanos(phase));
  }

  private interface Text<T> {
    @Nullable String of(T row);
  }

  private interface Amount<T> {
    long of(T row);
  }

  private interface Flag<T> {
    boolean of(T row);
  }

  private interface Time<T> {
    Instant of(T row);
  }

  private static <T> Column<T> text(String name, String comment, Text<T> value) {
    return new Column<>(name, "VARCHAR", comment, value::of);
  }

  private static <T> Column<T> number(String name, String comment, Amount<T> value) {
    return new Column<>(name, "BIGINT", comment, value::of);
  }

  private static <T> Column<T> flag(String name, String comment, Flag<T> value) {
    return new Column<>(name, "BOOLEAN", comment, value::of);
  }

  private static <T> Column<T> millis(String name, String comment, Amount<T> nanos) {
    return new Column<>(
        name,
        "DOUBLE",
        comment + ", in milliseconds",
        row -> TimeUnit.NANOSECONDS.toMicros(nanos.of(row)) * 1_000 / NANOS_PER_MS);
  }

  private static <T> Column<T> time(String name, String comment, Time<T> value) {
    return new Column<>(
        name,
        "TIMESTAMP WITH TIME ZONE",
        comment,
        row -> OffsetDateTime.ofInstant(value.of(row), ZoneOffset.UTC));
  }
}
