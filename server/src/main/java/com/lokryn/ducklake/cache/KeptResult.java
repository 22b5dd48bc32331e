package com.lokryn.ducklake.cache;

import java.util.List;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * A whole result in memory. It is open as long as the cache or a reader has it; the last of them
 * releases its buffers. Thread-safe.
 */
final class KeptResult {
  private final Schema schema;
  private final List<ArrowRecordBatch> batches;
  private final long bytes;
  private final double worth;
  private final Quota quota;
  private int holders = 1;

  /**
   * @param batches owned by this from here on
   * @param bytes what they take, of the quota
   * @param costNanos what it took to make them
   */
  KeptResult(
      Schema schema, List<ArrowRecordBatch> batches, long bytes, long costNanos, Quota quota) {
    this.schema = schema;
    this.batches = List.copyOf(batches);
    this.bytes = bytes;
    this.worth = (double) costNanos / bytes;
    this.quota = quota;
  }

  Schema schema() {
    return schema;
  }

  List<ArrowRecordBatch> batches() {
    return batches;
  }

  /** What a byte of it saves, in nanoseconds of the engine. */
  double worth() {
    return worth;
  }

  synchronized void hold() {
    holders++;
  }

  synchronized void release() {
    if (--holders == 0) {
      batches.forEach(ArrowRecordBatch::close);
      quota.giveBack(bytes);
    }
  }
}
