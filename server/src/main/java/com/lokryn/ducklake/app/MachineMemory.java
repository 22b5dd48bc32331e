package com.lokryn.ducklake.app;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** The memory this process may use: the container's limit, where there is one. */
final class MachineMemory {
  /** The rest is for batches on their way, the heap, and what DuckDB does not count. */
  private static final double ENGINE_SHARE = 0.6;

  private MachineMemory() {}

  static long defaultEngineBytes() {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return (long) (system.getTotalMemorySize() * ENGINE_SHARE);
  }
}
