package com.lokryn.ducklake.query;

import com.lokryn.ducklake.observe.Limit;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Lets callers have something one after the other, in the order in which they came. One that waits
 * holds a thread of the server's, so only a few may, and it stops waiting when it is cancelled.
 * Thread-safe.
 */
final class Turns {
  /** Drivers send the statements of a connection one by one; a few more cover a pool on top. */
  static final int MAX_WAITING = 4;

  static final String REFUSAL =
      "more than %d statements wait for this session's transaction or temporary objects: run"
              .formatted(MAX_WAITING)
          + " them one after the other, or on several connections";

  /** Numbers of those who wait, behind that of the one whose turn it is. */
  private final Deque<Long> queue = new ArrayDeque<>();

  private long next;

  /** Waits for one's turn, which has to be {@link #leave left}. */
  void enter(Cancellation cancellation) {
    long self;
    synchronized (this) {
      if (queue.size() > MAX_WAITING) {
        throw new QueryException(Limit.SESSION_QUEUE, REFUSAL);
      }
      self = next++;
      queue.addLast(self);
    }
    cancellation.onCancel(this::wake);
    await(self, cancellation);
  }

  private synchronized void await(long self, Cancellation cancellation) {
    boolean interrupted = false;
    while (!isFirst(self) && !cancellation.isCancelled()) {
      try {
        wait();
      } catch (InterruptedException e) {
        // The server is stopping, which cancels what waits.
        interrupted = true;
        cancellation.cancel(Problem.UNAVAILABLE, "the server is stopping");
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (cancellation.isCancelled()) {
      queue.remove(self);
      notifyAll();
      cancellation.check();
    }
  }

  private boolean isFirst(long self) {
    Long first = queue.peekFirst();
    return first != null && first == self;
  }

  private synchronized void wake() {
    notifyAll();
  }

  /** Takes the turn where nobody has it or waits for it; true when it has to be left. */
  synchronized boolean enterIfFree() {
    if (!queue.isEmpty()) {
      return false;
    }
    queue.addLast(next++);
    return true;
  }

  /** Waits for one's turn whatever happens, before all who wait already. */
  void enterFirst() {
    boolean interrupted = false;
    synchronized (this) {
      long self = next++;
      Long present = queue.pollFirst();
      queue.addFirst(self);
      if (present != null) {
        queue.addFirst(present);
      }
      while (!isFirst(self)) {
        try {
          wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  synchronized void leave() {
    queue.pollFirst();
    notifyAll();
  }
}
