package com.lokryn.ducklake.observe;

/**
 * How much there is of what comes and goes, at the time of the question. No answer waits for a
 * statement, and that of the engine for no longer than a moment.
 */
public interface Levels extends AutoCloseable {
  /** A way into the engine. */
  enum Lane {
    STATEMENTS,
    STREAMS,
    UPLOADS
  }

  /**
   * What the engine holds, in bytes.
   *
   * @param memory of its buffer manager
   * @param spilled to the disk
   */
  record EngineUse(double memory, double spilled) {
    /** While it cannot be asked. */
    public static final EngineUse UNKNOWN = new EngineUse(Double.NaN, Double.NaN);
  }

  /** What waits for its turn. */
  int waiting(Lane lane);

  /** What has its turn. */
  int atWork(Lane lane);

  /** Results on their way to clients. */
  int openStreams();

  /** Results whose clients have not come for them. */
  int waitingResults();

  int connections();

  int sessions();

  int openTransactions();

  int preparedStatements();

  /** Connections of the engine that something holds. */
  int engineConnections();

  EngineUse engineUse();

  /** What the engine may hold in memory, in bytes. */
  long engineMemoryLimit();

  /** Batches outside of the heap, without the kept results, in bytes. */
  long batchBytes();

  /** What the transport holds outside of the heap, in bytes; not a number where that is unknown. */
  double transportBytes();

  @Override
  void close();
}
