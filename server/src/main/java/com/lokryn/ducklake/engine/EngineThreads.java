package com.lokryn.ducklake.engine;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads that enter DuckDB. All have 64 MB stacks: DuckDB's planner recurses, and on Java's
 * default stack a chain of 200 common table expressions ends the process with SIGSEGV; the memory
 * is only reserved, not used. They are platform threads, since a native call pins a virtual one.
 */
public final class EngineThreads implements AutoCloseable {
  private static final long STACK_BYTES = 64L << 20;
  private static final int INGESTS_PER_STATEMENT = 4;

  private final StatementThreads queries;
  private final ExecutorService streams;
  private final ExecutorService patientStreams;
  private final ExecutorService ingests;
  private final ExecutorService closers;
  private final int concurrency;

  /**
   * @param concurrency how many statements may be planned or executed at once
   */
  public EngineThreads(int concurrency) {
    this.concurrency = concurrency;
    queries = new StatementThreads(factory("query"), concurrency);
    streams = pool(factory("stream"), concurrency);
    patientStreams = pool(patient(factory("patient")), concurrency);
    // They wait for their clients, some of which stall: that must not hold up the others.
    ingests = pool(factory("ingest"), ingestConcurrency());
    closers = pool(factory("close"), concurrency);
  }

  /** Plans and executes: a task runs as long as its statement needs to give its first rows. */
  public ExecutorService queries() {
    return queries;
  }

  /** Fetches batches of results that are open; never waits for a client. */
  public ExecutorService streams() {
    return streams;
  }

  /** Like {@link #streams}, on threads that let all others go before them. */
  public ExecutorService patientStreams() {
    return patientStreams;
  }

  /** Handles uploads: a task lasts as long as its client sends. */
  public ExecutorService ingests() {
    return ingests;
  }

  /** Closes what is over, which may wait for what is interrupted there, but for no client. */
  public ExecutorService closers() {
    return closers;
  }

  /** How many statements may be planned or executed at once, and as many results fetched. */
  public int concurrency() {
    return concurrency;
  }

  /** How many uploads may be handled at once. */
  public int ingestConcurrency() {
    return INGESTS_PER_STATEMENT * concurrency;
  }

  /** Has statements that take long give way to others; to be called every now and then. */
  public void sweep() {
    queries.sweep();
  }

  /** The same, of threads that let all others go before them. */
  public static ThreadFactory patientFactory(String name) {
    return patient(factory(name));
  }

  private static ThreadFactory patient(ThreadFactory factory) {
    return task ->
        factory.newThread(
            () -> {
              Niceness.currentThread().ifPresent(Niceness::lower);
              task.run();
            });
  }

  private static ExecutorService pool(ThreadFactory factory, int threads) {
    var pool =
        new ThreadPoolExecutor(
            threads, threads, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory);
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  /** A factory of threads that may enter DuckDB, named {@code name-0}, {@code name-1}, … */
  public static ThreadFactory factory(String name) {
    return Thread.ofPlatform().name(name + "-", 0).stackSize(STACK_BYTES).daemon().factory();
  }

  @Override
  public void close() {
    queries.shutdownNow();
    streams.shutdownNow();
    patientStreams.shutdownNow();
    ingests.shutdownNow();
    closers.shutdownNow();
  }
}
