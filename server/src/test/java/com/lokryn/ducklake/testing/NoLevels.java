package com.lokryn.ducklake.testing;

import com.lokryn.ducklake.observe.Levels;

/** A server that has nothing. */
public final class NoLevels implements Levels {
  @Override
  public int waiting(Lane lane) {
    return 0;
  }

  @Override
  public int atWork(Lane lane) {
    return 0;
  }

  @Override
  public int openStreams() {
    return 0;
  }

  @Override
  public int waitingResults() {
    return 0;
  }

  @Override
  public int connections() {
    return 0;
  }

  @Override
  public int sessions() {
    return 0;
  }

  @Override
  public int openTransactions() {
    return 0;
  }

  @Override
  public int preparedStatements() {
    return 0;
  }

  @Override
  public int engineConnections() {
    return 0;
  }

  @Override
  public EngineUse engineUse() {
    return EngineUse.UNKNOWN;
  }

  @Override
  public long engineMemoryLimit() {
    return 0;
  }

  @Override
  public long batchBytes() {
    return 0;
  }

  @Override
  public double transportBytes() {
    return 0;
  }

  @Override
  public void close() {}
}
