package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.engine.MachineMemory;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * How much of one result may wait in the transport: half of what its client took in the last
 * moments. The engine runs ahead of a quick client by some batches, and would otherwise stand still
 * while the socket writes; of a result whose client is slow little more than a batch is in memory.
 * Thread-safe.
 */
final class SendWindow {
  /** So much may wait whoever reads: the first batches, which are small. */
  static final long MIN_BYTES = 512 << 10;

  /**
   * Four batches, because the engine gives them in bursts. TPC-H's lineitem took 1.36 of its time
   * in process with 7 MB, 1.16 with 11 MB or more.
   */
  static final long MAX_BYTES = 14 << 20;

  /** What may wait for all clients together, down to the least for each. */
  private static final long BUDGET_BYTES = Math.min(224 << 20, MachineMemory.total() / 8);

  /** What was taken counts for one to two of these. */
  private static final long SPAN_NANOS = 50_000_000;

  private final IntSupplier streams;
  private final LongSupplier nanoClock;
  private final Runnable onRoom;
  private long waiting;
  private long spanBegan;
  private long taken;
  private long takenBefore;

  /** Somebody was told that there is no room, and not yet that there is some again. */
  private boolean isAwaited;

  /**
   * @param streams how many results are on their way, of all clients
   * @param nanoClock nanoseconds of any origin
   * @param onRoom called when there is room again after {@link #hasRoom} was false, on the thread
   *     that has taken something
   */
  SendWindow(IntSupplier streams, LongSupplier nanoClock, Runnable onRoom) {
    this.streams = streams;
    this.nanoClock = nanoClock;
    this.onRoom = onRoom;
    this.spanBegan = nanoClock.getAsLong();
  }

  /** Notes what is handed to the transport. */
  synchronized void sent(long bytes) {
    waiting += bytes;
  }

  /** Notes what the transport has written, or has given up. */
  void taken(long bytes) {
    boolean isDue;
    synchronized (this) {
      roll();
      waiting -= bytes;
      taken += bytes;
      isDue = isAwaited && isOpen();
      if (isDue) {
        isAwaited = false;
      }
    }
    if (isDue) {
      onRoom.run();
    }
  }

  /** May more be sent now? */
  synchronized boolean hasRoom() {
    roll();
    boolean open = isOpen();
    isAwaited = !open;
    return open;
  }

  private boolean isOpen() {
    long share = Math.clamp(BUDGET_BYTES / Math.max(1, streams.getAsInt()), MIN_BYTES, MAX_BYTES);
    return waiting < Math.min(share, MIN_BYTES + (takenBefore + taken) / 2);
  }

  private void roll() {
    long now = nanoClock.getAsLong();
    long age = now - spanBegan;
    if (age >= SPAN_NANOS) {
      takenBefore = age < 2 * SPAN_NANOS ? taken : 0;
      taken = 0;
      spanBegan = now;
    }
  }
}
