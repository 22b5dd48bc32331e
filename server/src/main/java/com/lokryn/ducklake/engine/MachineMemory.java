package com.lokryn.ducklake.engine;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** The memory this process may use: the container's limit, where there is one. */
public final class MachineMemory {
  /** The rest is for batches on their way, the heap, and what DuckDB does not count. */
  private static final double ENGINE_SHARE = 0.6;

  private MachineMemory() {}

  /** Bytes there are. */
  public static long total() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getTotalMemorySize();
  }

  /** Bytes that the engine may hold where no setting says how many. */
  public static long defaultEngineBytes() {
    return (long) (total() * ENGINE_SHARE);
  }
}
