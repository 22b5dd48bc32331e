package com.lokryn.ducklake.query;

import com.lokryn.ducklake.observe.Limit;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;

/** The results there are: parked until their ticket is fetched, then on their way. Thread-safe. */
public final class Results implements AutoCloseable {
  /** How long a result waits for its client; drivers come within milliseconds. */
  private static final Duration PARKED = Duration.ofSeconds(60);

  /** Each holds its first batch, and a connection of the engine's. */
  private static final int MAX_PARKED = 64;

  /** Of changes, which are done: each is a number. Drivers do not always ask for it. */
  private static final int MAX_DONE = 4_096;

  private final Expiring<QueryResult> parked;
  private final Set<QueryResult> known = ConcurrentHashMap.newKeySet();
  private final InstantSource clock;
  private final Executor closers;

  /**
   * @param closers threads that may enter the engine
   */
  public Results(InstantSource clock, Executor closers) {
    this.clock = clock;
    this.closers = closers;
    this.parked = new Expiring<>(clock, PARKED, _ -> false, this::abandon);
  }

  /** Keeps a result for its ticket. */
  public void park(QueryResult result) {
    if (result.cancellation().isCancelled()) {
      abandon(result);
      result.cancellation().check();
    }
    int most = result instanceof CompletedUpdate ? MAX_DONE : MAX_PARKED;
    if (parked.count(other -> isLike(other, result)) >= most) {
      abandon(result);
      throw new QueryException(
          Limit.WAITING_RESULTS,
          "%d results of this session wait to be fetched: fetch or cancel some first"
              .formatted(most));
    }
    known.add(result);
    parked.put(result.id().value(), result);
  }

  private static boolean isLike(QueryResult one, QueryResult other) {
    return one.session() == other.session() && one.getClass() == other.getClass();
  }

  /** Takes the result of a ticket. */
  public QueryResult claim(String handle) {
    return parked.take(handle).orElseThrow(Results::unknown);
  }

  private static QueryException unknown() {
    return new QueryException(
        Problem.UNKNOWN_HANDLE,
        "no result waits for this ticket: it was fetched before, or not within %d"
                .formatted(PARKED.toSeconds())
            + " seconds; run the query again");
  }

  /**
   * Has a result wait for its client for as long again.
   *
   * @return until when it waits then
   */
  public Instant renew(String handle) {
    var _ = parked.touch(handle).orElseThrow(Results::unknown);
    return clock.instant().plus(PARKED);
  }

  /** Says that a claimed result has ended. */
  public void ended(QueryResult result) {
    known.remove(result);
  }

  /** Gives up what waits for a client that has gone. */
  public void endSession(Session session) {
    known.stream()
        .filter(result -> result.session() == session)
        .forEach(result -> parked.take(result.id().value()).ifPresent(this::abandon));
  }

  /** Ends the result, parked or on its way. */
  public boolean cancel(String handle, Problem problem, String text) {
    var found = known.stream().filter(result -> result.id().value().equals(handle)).findFirst();
    found.ifPresent(
        result -> {
          result.cancellation().cancel(problem, text);
          parked.take(handle).ifPresent(this::abandon);
        });
    return found.isPresent();
  }

  /** How many wait for their clients. */
  public int waiting() {
    return (int) parked.count(_ -> true);
  }

  public void sweep() {
    parked.sweep();
  }

  private void abandon(QueryResult result) {
    known.remove(result);
    closers.execute(result::abandon);
  }

  @Override
  public void close() {
    parked.close();
  }
}
