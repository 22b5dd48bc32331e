package com.lokryn.ducklake.engine;

import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Threads that plan and execute statements. DuckDB does most of a statement's work on the thread
 * that asks for it, and knows no priorities, so the system's are used: a statement that takes long
 * lets all those go before it that do not. A client's few cross joins would otherwise take three
 * quarters of two processors from statements of milliseconds. Who is alone loses nothing.
 */
final class StatementThreads extends ThreadPoolExecutor {
  /** What has taken this long takes long; most statements are over by then. */
  private static final long LONG_NANOS = Duration.ofMillis(250).toNanos();

  private static final class Task {
    private final long began = System.nanoTime();
    private final int thread;
    private volatile boolean lowered;

    Task(int thread) {
      this.thread = thread;
    }
  }

  private static final ThreadLocal<OptionalInt> NUMBER =
      ThreadLocal.withInitial(Niceness::currentThread);

  private final Map<Thread, Task> running = new ConcurrentHashMap<>();

  StatementThreads(ThreadFactory factory, int threads) {
    super(
        threads,
        threads,
        30,
        TimeUnit.SECONDS,
        new LinkedBlockingQueue<>(),
        task -> quiet(factory.newThread(task)));
    allowCoreThreadTimeOut(true);
  }

  private static Thread quiet(Thread thread) {
    Thread.UncaughtExceptionHandler usual = thread.getUncaughtExceptionHandler();
    thread.setUncaughtExceptionHandler(
        (ended, thrown) -> {
          if (!(thrown instanceof Worn)) {
            usual.uncaughtException(ended, thrown);
          }
        });
    return thread;
  }

  @Override
  protected void beforeExecute(Thread thread, Runnable task) {
    NUMBER.get().ifPresent(number -> running.put(thread, new Task(number)));
  }

  @Override
  protected void afterExecute(Runnable task, @Nullable Throwable thrown) {
    Task over = running.remove(Thread.currentThread());
    if (over != null) {
      boolean worn;
      synchronized (over) {
        worn = over.lowered;
        over.lowered = true;
      }
      if (worn && thrown == null) {
        // It cannot be put back: the pool makes another one in its place.
        throw new Worn();
      }
    }
  }

  /** Has others go before what takes long; to be called every now and then. */
  void sweep() {
    long now = System.nanoTime();
    for (Task task : running.values()) {
      if (now - task.began > LONG_NANOS && !task.lowered) {
        // Not while it ends: its thread would serve another one.
        synchronized (task) {
          if (!task.lowered) {
            task.lowered = true;
            Niceness.lower(task.thread);
          }
        }
      }
    }
  }

  /** Ends a thread of the pool, and nothing else. */
  private static final class Worn extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Worn() {
      super(null, null, false, false);
    }
  }
}
