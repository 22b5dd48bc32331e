package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.observe.Limit;
import com.lokryn.ducklake.observe.Request;
import com.lokryn.ducklake.observe.Usage;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Ends one statement from any thread: the client, a deadline, a stalled reader, the server's stop.
 * Whatever the statement does in the engine it does inside {@link #guard}, which is what gets
 * interrupted, and counted as the engine's work for a client. Thread-safe.
 */
public final class Cancellation {
  /** DuckDB forgets an interrupt that arrives before it has begun to work. */
  private static final long REPEAT_MS = 50;

  private final AtomicReference<@Nullable QueryException> reason = new AtomicReference<>();
  private final Set<Guard> guards = ConcurrentHashMap.newKeySet();
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private final Usage usage;
  private final Request request;
  private volatile boolean watched;

  /** The connections that look at the progress already. */
  private final Set<EngineConnection> shown = ConcurrentHashMap.newKeySet();

  /** For work that is nobody's. */
  public Cancellation() {
    this(new Usage(), new Request());
  }

  /**
   * @param usage where the time in the engine is counted
   * @param request that it is to end
   */
  public Cancellation(Usage usage, Request request) {
    this.usage = usage;
    this.request = request;
  }

  /** The request that it is to end. */
  public Request request() {
    return request;
  }

  /** Ends the statement; only the first reason counts. */
  public void cancel(Problem problem, String text) {
    cancel(new QueryException(problem, text));
  }

  /** Ends it for a limit that it has met. */
  void cancel(Limit limit, String text) {
    cancel(new QueryException(limit, text));
  }

  private void cancel(QueryException why) {
    if (!reason.compareAndSet(null, why)) {
      return;
    }
    guards.forEach(Guard::interruptUntilClosed);
    listeners.forEach(Runnable::run);
  }

  public boolean isCancelled() {
    return reason.get() != null;
  }

  /** The reason, once it is cancelled. */
  public QueryException reason() {
    QueryException cancelled = reason.get();
    return cancelled == null
        ? new QueryException(Problem.CANCELLED, "the statement was cancelled")
        : cancelled;
  }

  /** Throws the reason, if there is one. */
  public void check() {
    QueryException cancelled = reason.get();
    if (cancelled != null) {
      throw cancelled;
    }
  }

  /** Calls back once, when the statement is cancelled, or at once if it was. */
  public void onCancel(Runnable listener) {
    listeners.add(listener);
    if (isCancelled()) {
      listener.run();
    }
  }

  /** Waits that long, and throws the reason as soon as there is one. */
  void pause(long millis) {
    var cancelled = new CountDownLatch(1);
    Runnable listener = cancelled::countDown;
    onCancel(listener);
    try {
      if (cancelled.await(millis, TimeUnit.MILLISECONDS)) {
        check();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QueryException(Problem.UNAVAILABLE, "the server is stopping");
    } finally {
      listeners.remove(listener);
    }
  }

  /** Has the engine look at the statement's progress from its next step on. */
  public void watch() {
    watched = true;
  }

  /** True when {@link #watch} has left a setting in its connections. */
  public boolean isWatched() {
    return watched;
  }

  /** How much of the statement's present step is done, from 0 to 1, where that is known. */
  public OptionalDouble progress() {
    return guards.stream()
        .map(guard -> guard.connection.progress())
        .filter(OptionalDouble::isPresent)
        .findFirst()
        .orElse(OptionalDouble.empty());
  }

  /** Makes the work on a connection interruptible until the guard is closed. */
  public Guard guard(EngineConnection connection) {
    check();
    // Before the first step: a statement would end a stream that is open on its connection.
    if (watched && shown.add(connection)) {
      watchProgress(connection);
    }
    var entered = new Guard(connection);
    guards.add(entered);
    if (isCancelled()) {
      entered.interruptUntilClosed();
    }
    return entered;
  }

  private static void watchProgress(EngineConnection connection) {
    try {
      connection.watchProgress();
    } catch (EngineException _) {
      // As in a transaction that has failed: the statement will say so.
    }
  }

  /** Counts engine work that must not be interrupted. */
  void uninterrupted(EngineConnection connection, String sql) throws EngineException {
    long began = System.nanoTime();
    try {
      connection.run(sql);
    } finally {
      usage.worked(System.nanoTime() - began);
    }
  }

  /** Work in the engine that a cancellation interrupts. */
  public final class Guard implements AutoCloseable {
    private final EngineConnection connection;
    private final long began = System.nanoTime();
    private long waited;
    private final CountDownLatch closed = new CountDownLatch(1);

    private Guard(EngineConnection connection) {
      this.connection = connection;
    }

    /** Takes out time in which the engine waited for the client. */
    void waited(long nanos) {
      waited += nanos;
    }

    private void interruptUntilClosed() {
      Thread.ofVirtual()
          .name("interrupt")
          .start(
              () -> {
                try {
                  do {
                    connection.interrupt();
                  } while (!closed.await(REPEAT_MS, TimeUnit.MILLISECONDS));
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              });
    }

    @Override
    public void close() {
      usage.worked(Math.max(0, System.nanoTime() - began - waited));
      guards.remove(this);
      closed.countDown();
    }
  }
}
