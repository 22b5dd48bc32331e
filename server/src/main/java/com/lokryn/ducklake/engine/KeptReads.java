package com.lokryn.ducklake.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Connections whose transaction was left open when the reading statement in it had ended, for the
 * next one that wants to see the same snapshot: to begin and end a transaction of DuckLake's costs
 * six statements of the catalog's Postgres.
 *
 * <p>None is kept for long. In Postgres it holds locks that a dropped table waits for, and keeps
 * dead rows from being cleared away. Thread-safe.
 */
final class KeptReads implements AutoCloseable {
  /** How long one may wait for its next statement. */
  private static final long MAX_IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** How long after its beginning one may be used. */
  private static final long MAX_AGE_NANOS = TimeUnit.SECONDS.toNanos(5);

  private static final long SWEEP_MS = 500;

  /** How long the end waits for what is being ended. */
  private static final long MAX_WAIT_MS = 2_000;

  private record Kept(EngineConnection connection, long snapshot, long since) {
    boolean isOver(long now) {
      return now - since > MAX_IDLE_NANOS || isOld(connection, now);
    }
  }

  private final int most;

  /** Those that were used last come first, so that the others become idle. */
  private final Deque<Kept> kept = new ArrayDeque<>();

  private @Nullable ScheduledExecutorService sweeper;
  private boolean closed;

  /**
   * @param most how many are kept at once
   */
  KeptReads(int most) {
    this.most = most;
  }

  private static boolean isOld(EngineConnection connection, long now) {
    return now - connection.transactionBegan() > MAX_AGE_NANOS;
  }

  /**
   * Keeps a connection and its transaction.
   *
   * @param snapshot that it sees
   * @return false when it is not wanted: then its transaction is to be ended
   */
  synchronized boolean keep(EngineConnection connection, long snapshot) {
    long now = System.nanoTime();
    if (closed || kept.size() >= most || isOld(connection, now)) {
      return false;
    }
    kept.addFirst(new Kept(connection, snapshot, now));
    if (sweeper == null) {
      sweeper = Executors.newSingleThreadScheduledExecutor(EngineThreads.factory("kept-reads"));
      var _ =
          sweeper.scheduleWithFixedDelay(this::sweep, SWEEP_MS, SWEEP_MS, TimeUnit.MILLISECONDS);
    }
    return true;
  }

  /** Takes one that sees a snapshot, and looks names up in a namespace. */
  synchronized Optional<EngineConnection> take(Namespace namespace, long snapshot) {
    long now = System.nanoTime();
    for (Iterator<Kept> all = kept.iterator(); all.hasNext(); ) {
      Kept one = all.next();
      if (one.snapshot == snapshot && !one.isOver(now) && one.connection.isPlacedIn(namespace)) {
        all.remove();
        return Optional.of(one.connection);
      }
    }
    return Optional.empty();
  }

  private void sweep() {
    long now = System.nanoTime();
    remove(one -> one.isOver(now)).forEach(EngineConnection::endRead);
  }

  private synchronized List<EngineConnection> remove(Predicate<Kept> which) {
    var removed = new ArrayList<EngineConnection>();
    for (Iterator<Kept> all = kept.iterator(); all.hasNext(); ) {
      Kept one = all.next();
      if (which.test(one)) {
        all.remove();
        removed.add(one.connection);
      }
    }
    return removed;
  }

  /** What it ends just now is open yet, and with it the instance. */
  private static void awaitEnd(ScheduledExecutorService running) {
    try {
      var _ = running.awaitTermination(MAX_WAIT_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends them all, and keeps none from here on. */
  @Override
  public void close() {
    ScheduledExecutorService running;
    synchronized (this) {
      closed = true;
      running = sweeper;
    }
    remove(_ -> true).forEach(EngineConnection::close);
    if (running != null) {
      running.shutdown();
      awaitEnd(running);
    }
  }
}
