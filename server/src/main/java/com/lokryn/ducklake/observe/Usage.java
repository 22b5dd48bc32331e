package com.lokryn.ducklake.observe;

import java.util.concurrent.atomic.LongAdder;

/**
 * What clients have had of this process since it started. The numbers only grow, and count what
 * failed or was cancelled as well. Thread-safe.
 */
public final class Usage {
  private final LongAdder workNanos = new LongAdder();
  private final LongAdder sentBytes = new LongAdder();
  private final LongAdder receivedBytes = new LongAdder();
  private final CacheUse cache = new CacheUse();
  private final Counts<MeteringResult> metering = new Counts<>(MeteringResult.class);

  /** Adds time that the engine was at work for a client; see {@link #workNanos}. */
  public void worked(long nanos) {
    workNanos.add(nanos);
  }

  /** Adds bytes that were handed to the transport; see {@link #sentBytes}. */
  public void sent(long bytes) {
    sentBytes.add(bytes);
  }

  /** Adds bytes that the transport has brought; see {@link #receivedBytes}. */
  public void received(long bytes) {
    receivedBytes.add(bytes);
  }

  /**
   * Nanoseconds by the clock, not of processors, that the engine planned, executed, committed, or
   * made the next batch of a result, for statements and for questions about the catalog, added up
   * over all that ran at the same time. The time is not in it that a statement waits for its turn,
   * for its client to take a batch or to send the next one of an upload, or between two attempts.
   */
  public long workNanos() {
    return workNanos.sum();
  }

  /** Bytes of the bodies of Arrow batches that clients have sent: uploads and bound values. */
  public long receivedBytes() {
    return receivedBytes.sum();
  }

  /** What became of the reports of it. */
  public Counts<MeteringResult> metering() {
    return metering;
  }

  /** What the cache of results did. */
  public CacheUse cache() {
    return cache;
  }

  /**
   * Bytes of the bodies of Arrow record and dictionary batches that were sent to clients, without
   * schemas and the framing of Flight, gRPC and TLS.
   */
  public long sentBytes() {
    return sentBytes.sum();
  }
}
