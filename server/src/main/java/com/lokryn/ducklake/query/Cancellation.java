package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineConnection;
import java.util.List;
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
 * interrupted. Thread-safe.
 */
public final class Cancellation {
  /** DuckDB forgets an interrupt that arrives before it has begun to work. */
  private static final long REPEAT_MS = 50;

  private final AtomicReference<@Nullable QueryException> reason = new AtomicReference<>();
  private final Set<Guard> guards = ConcurrentHashMap.newKeySet();
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  /** Ends the statement; only the first reason counts. */
  public void cancel(Problem problem, String text) {
    if (!reason.compareAndSet(null, new QueryException(problem, text))) {
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

  /** Makes the work on a connection interruptible until the guard is closed. */
  public Guard guard(EngineConnection connection) {
    check();
    var entered = new Guard(connection);
    guards.add(entered);
    if (isCancelled()) {
      entered.interruptUntilClosed();
    }
    return entered;
  }

  /** Work in the engine that a cancellation interrupts. */
  public final class Guard implements AutoCloseable {
    private final EngineConnection connection;
    private final CountDownLatch closed = new CountDownLatch(1);

    private Guard(EngineConnection connection) {
      this.connection = connection;
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
      guards.remove(this);
      closed.countDown();
    }
  }
}
