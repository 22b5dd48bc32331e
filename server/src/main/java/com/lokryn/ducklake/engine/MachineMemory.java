package com.lokryn.ducklake.engine;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** The memory this process may use: the container's limit, where there is one. */
public final class MachineMemory {
  /** The rest is for batches on their way, the heap, and what DuckDB does not count. */
  private static final double ENGINE_SHARE = 0.6;

  /**
   * What that rest takes however small the machine is: in a container of 1 GiB, with 32 slow
   * readers and 8 uploads at once, a process with 314 MB for the engine came to 973 MB, and one
   * with 452 MB was ended by the system.
   */
  private static final long REST_BYTES = 760_000_000;

  /** Of a machine that is smaller than that. */
  private static final double LEAST_SHARE = 0.25;

  private MachineMemory() {}

  /** Bytes there are. */
  public static long total() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getTotalMemorySize();
  }

  /** Bytes that the engine may hold where no setting says how many. */
  public static long defaultEngineBytes() {
    return defaultEngineBytes(total());
  }

  static long defaultEngineBytes(long total) {
    long most = Math.min((long) (total * ENGINE_SHARE), total - REST_BYTES);
    return Math.max((long) (total * LEAST_SHARE), most);
  }
}
