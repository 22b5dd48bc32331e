package com.lokryn.ducklake.query;

import com.lokryn.ducklake.observe.Limit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Memory that clients may make the server hold for them, all together; what does not fit is refused
 * rather than the process ended. Thread-safe.
 */
public final class Budget {
  private final AtomicLong held = new AtomicLong();
  private final long bytes;
  private final String what;

  /**
   * @param what is held, for the one who is refused
   */
  public Budget(long bytes, String what) {
    this.bytes = bytes;
    this.what = what;
  }

  /** A part of the budget; closed, it is free again. */
  public final class Share implements AutoCloseable {
    private final AtomicLong own = new AtomicLong();

    private Share() {}

    /** Makes it as large as that, or refuses and leaves it as it was. */
    public void resize(long wanted) {
      long more = wanted - own.get();
      if (held.addAndGet(more) > bytes && more > 0) {
        held.addAndGet(-more);
        throw new QueryException(
            Limit.SERVER_MEMORY,
            "the server holds too much for its clients at the moment (%s, %d MB in all): free some"
                    .formatted(what, bytes >> 20)
                + " or try again later");
      }
      own.addAndGet(more);
    }

    public void add(long more) {
      resize(own.get() + more);
    }

    @Override
    public void close() {
      held.addAndGet(-own.getAndSet(0));
    }
  }

  /** An empty share; used by one thread at a time. */
  public Share share() {
    return new Share();
  }
}
