package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineThreads;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;

/**
 * The ways into the engine, each with threads and slots of its own, so that none waits behind what
 * is slow by its nature in another.
 *
 * @param threads that all of it runs on
 * @param statements what is planned or executed, up to the first rows of its result
 * @param begun goes on with what has begun: the batches of open results, the ends of transactions.
 *     It holds snapshots and connections, so it waits for no new statement, nor is it refused
 * @param uploads takes in tables, and waits for the clients that send them
 * @param holdings what bounds a user's open results and transactions
 */
public record Lanes(
    EngineThreads threads,
    Admission statements,
    Admission begun,
    Admission uploads,
    Holdings holdings) {
  /** What may wait of all users; each costs some kilobytes besides its text. */
  private static final int MAX_WAITING = 1_000;

  /**
   * Makes them from the threads there are.
   *
   * @param connections how many there are to the catalog; 0 where nothing bounds them
   * @param patience how long a statement may wait
   */
  public static Lanes of(
      EngineThreads threads, int connections, Duration patience, InstantSource clock) {
    int slots = threads.concurrency();
    var holdings = new Holdings(connections);
    // What has begun has what it needs.
    var begun = new Holdings(0);
    return new Lanes(
        threads,
        new Admission(
            new Admission.Limits(slots, Optional.of(patience), MAX_WAITING),
            Admission.Workers.same(threads.queries()),
            threads.closers(),
            holdings,
            clock),
        new Admission(
            new Admission.Limits(slots, Optional.empty(), Integer.MAX_VALUE),
            new Admission.Workers(threads.streams(), threads.patientStreams()),
            threads.closers(),
            begun,
            clock),
        new Admission(
            new Admission.Limits(threads.ingestConcurrency(), Optional.of(patience), MAX_WAITING),
            Admission.Workers.same(threads.ingests()),
            threads.closers(),
            holdings,
            clock),
        holdings);
  }

  /**
   * Ends what has waited for too long, and has what takes long give way; to be called every now and
   * then.
   */
  public void sweep() {
    threads.sweep();
    statements.sweep();
    uploads.sweep();
  }
}
