package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.engine.MachineMemory;
import com.lokryn.ducklake.ipc.IpcMessage;
import com.lokryn.ducklake.query.Budget;
import com.lokryn.ducklake.query.Cancellation;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.QueryException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The messages of one upload between gRPC, which brings them, and the engine's thread, which waits
 * for them. The client is asked for more only while little lies here. Thread-safe.
 */
final class UploadStream implements AutoCloseable {
  /**
   * What may lie here before the client has to wait: enough to have the next batches at hand, and
   * less where many upload to a small machine.
   */
  private static final long READ_AHEAD_BYTES = 16L << 20;

  private static final long LEAST_READ_AHEAD_BYTES = 1L << 20;

  /** For all uploads together, down to the least for each. */
  private static final long READ_AHEAD_OF_ALL = MachineMemory.total() / 32;

  /** What a message costs besides its bytes. */
  private static final long MESSAGE_BYTES = 1_024;

  /** Headers lie on the heap: what all uploads together may have waiting there. */
  private static final Budget HEADERS = new Budget(48L << 20, "descriptions of uploaded batches");

  private final Budget.Share share = HEADERS.share();
  private final IntSupplier uploads;
  private final Runnable requestOne;
  private final Cancellation cancellation;
  private final InstantSource clock;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<IpcMessage> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private long headerBytes;
  private boolean requested = true;
  private boolean complete;
  private boolean closed;
  private @Nullable RuntimeException failure;
  private Instant heard;

  /**
   * @param uploads how many there are, this one among them
   * @param requestOne asks gRPC for one more message; the first one is asked for already
   */
  UploadStream(
      IntSupplier uploads, Runnable requestOne, Cancellation cancellation, InstantSource clock) {
    this.uploads = uploads;
    this.requestOne = requestOne;
    this.cancellation = cancellation;
    this.clock = clock;
    this.heard = clock.instant();
    cancellation.onCancel(this::wake);
  }

  /** Takes a message over. */
  void add(IpcMessage message) {
    lock.lock();
    try {
      heard = clock.instant();
      requested = false;
      if (closed) {
        message.close();
        return;
      }
      waiting.add(message);
      waitingBytes += bytes(message);
      headerBytes += message.header().remaining();
      try {
        share.resize(headerBytes);
      } catch (QueryException e) {
        failure = e;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    requestMore();
  }

  /** The client has sent all. */
  void complete() {
    lock.lock();
    try {
      complete = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Nothing more will come, because of a failure. */
  void fail(RuntimeException reason) {
    lock.lock();
    try {
      failure = reason;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until there is something to take, or all is there. */
  void awaitMore() {
    lock.lock();
    try {
      awaitNext();
      cancellation.check();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for the next message, which the caller closes.
   *
   * @return empty when the client has sent all
   */
  Optional<IpcMessage> next() {
    IpcMessage message;
    lock.lock();
    try {
      awaitNext();
      cancellation.check();
      if (failure != null) {
        throw failure;
      }
      message = waiting.poll();
      if (message == null) {
        return Optional.empty();
      }
      waitingBytes -= bytes(message);
      headerBytes -= message.header().remaining();
      share.resize(headerBytes);
      heard = clock.instant();
    } finally {
      lock.unlock();
    }
    requestMore();
    return Optional.of(message);
  }

  private void awaitNext() {
    try {
      while (waiting.isEmpty() && !complete && failure == null && !cancellation.isCancelled()) {
        changed.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QueryException(Problem.UNAVAILABLE, "the server is stopping");
    }
  }

  private static long bytes(IpcMessage message) {
    return MESSAGE_BYTES + message.header().remaining() + message.body().capacity();
  }

  private void requestMore() {
    lock.lock();
    try {
      if (requested
          || complete
          || closed
          || waitingBytes > readAhead(READ_AHEAD_OF_ALL, uploads.getAsInt())) {
        return;
      }
      requested = true;
    } finally {
      lock.unlock();
    }
    requestOne.run();
  }

  /**
   * @param ofAll bytes for all uploads together
   */
  static long readAhead(long ofAll, int uploads) {
    return Math.clamp(ofAll / Math.max(1, uploads), LEAST_READ_AHEAD_BYTES, READ_AHEAD_BYTES);
  }

  /** Ends an upload whose client has sent nothing for too long, while it was asked for more. */
  void endIfSilent(Duration limit) {
    boolean silent;
    lock.lock();
    try {
      silent =
          !complete && !closed && waiting.isEmpty() && heard.isBefore(clock.instant().minus(limit));
    } finally {
      lock.unlock();
    }
    if (silent) {
      cancel(
          Problem.STALLED,
          "the client has sent nothing for %d seconds".formatted(limit.toSeconds()));
    }
  }

  void cancel(Problem problem, String text) {
    cancellation.cancel(problem, text);
  }

  private void wake() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      waiting.forEach(IpcMessage::close);
      waiting.clear();
      waitingBytes = 0;
      share.close();
    } finally {
      lock.unlock();
    }
  }
}
