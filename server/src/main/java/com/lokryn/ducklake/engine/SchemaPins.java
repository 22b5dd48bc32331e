package com.lokryn.ducklake.engine;

import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.duckdb.DuckDBConnection;

/**
 * Holds what DuckLake has read of the lake's schema for the transactions that use it.
 *
 * <p>DuckLake keeps a version of the schema in a cache of the instance, and holds it while a
 * statement runs, not until its transaction ends. But what a transaction has created or altered,
 * and what was planned in it, points into it from one statement to the next. The cache lets go of
 * it when two statements read a new version at once, when snapshots expire, when inlined rows are
 * flushed: then the next statement reads memory that is somebody else's, which ends the process
 * (DuckLake of DuckDB 1.5.5; its sources of June 2026 hold it in the transaction).
 *
 * <p>A statement that is planned only holds it too, as long as nothing else runs on its connection,
 * and takes no connection to the catalog. So each version that is used has such a connection, made
 * before the first transaction looks at the schema; and what else reads it, a commit that comes
 * after another for instance, does so one at a time. Thread-safe.
 */
final class SchemaPins implements AutoCloseable {
  /** A version that is held. */
  static final class Pin {
    private final long version;
    private final DuckDBConnection holder;
    private int users;

    private Pin(long version, DuckDBConnection holder) {
      this.version = version;
      this.holder = holder;
    }

    long version() {
      return version;
    }
  }

  /** How long one waits until another has read: its catalog may not answer. */
  private static final long MAX_WAIT_MS = 2_000;

  /** How long the end waits: a connection of a lost instance may never be closed. */
  private static final long MAX_END_MS = 500;

  private final DuckDBConnection first;
  private final Namespace home;

  /** One at a time reads a version that nobody holds yet. */
  private final Lock reading = new ReentrantLock();

  private final Map<Long, Pin> byVersion = new HashMap<>();
  private long newest = Long.MIN_VALUE;
  private boolean closed;

  /** Of all versions. */
  private int users;

  /**
   * @param first whose instance it is
   * @param home a catalog and a schema of the lake
   */
  SchemaPins(DuckDBConnection first, Namespace home) {
    this.first = first;
    this.home = home;
  }

  /** Takes part in holding a version, if it is held already; to be {@link #release}d. */
  synchronized Optional<Pin> take(long version) {
    Optional<Pin> found = Optional.ofNullable(byVersion.get(version));
    found.ifPresent(this::use);
    return found;
  }

  /**
   * The same for a version that may have to be read.
   *
   * @param snapshot one that has it
   */
  Pin hold(long version, long snapshot) throws EngineException {
    boolean isAlone = waitToRead();
    try {
      Optional<Pin> found = take(version);
      return found.isPresent() ? found.get() : add(new Pin(version, read(snapshot)));
    } finally {
      letOthersRead(isAlone);
    }
  }

  /** What may have DuckLake read the schema. */
  interface Reading<T> {
    T run() throws EngineException;
  }

  /** Has the schema read by others before or after that, not at once. */
  <T> T reading(Reading<T> work) throws EngineException {
    boolean isAlone = waitToRead();
    try {
      return work.run();
    } finally {
      letOthersRead(isAlone);
    }
  }

  private boolean waitToRead() {
    try {
      return reading.tryLock(MAX_WAIT_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void letOthersRead(boolean wasAlone) {
    if (wasAlone) {
      reading.unlock();
    }
  }

  /** Neither the table nor its schema need be there: what there is is read first. */
  @SuppressWarnings("resource") // The statement ends with its connection.
  private DuckDBConnection read(long snapshot) throws EngineException {
    try {
      var holder = first.duplicate();
      try {
        var _ =
            holder.prepareStatement(
                "SELECT 1 FROM %s.%s.pin AT (VERSION => %d)"
                    .formatted(
                        Sql.identifier(home.catalog()), Sql.identifier(home.schema()), snapshot));
      } catch (SQLException e) {
        EngineException failure = EngineException.of(e);
        if (failure.error() != EngineError.MISSING && failure.error() != EngineError.BINDER) {
          holder.close();
          throw failure;
        }
      }
      return holder;
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  private void use(Pin pin) {
    pin.users++;
    users++;
  }

  private synchronized Pin add(Pin pin) {
    use(pin);
    if (closed) {
      return pin;
    }
    byVersion.put(pin.version, pin);
    newest = Math.max(newest, pin.version);
    for (Pin other : List.copyOf(byVersion.values())) {
      closeIfUnused(other);
    }
    return pin;
  }

  /** Ends a part in holding a version. */
  synchronized void release(Pin pin) {
    pin.users--;
    users--;
    closeIfUnused(pin);
    if (closed && users == 0) {
      notifyAll();
    }
  }

  /** The newest stays, for the transactions to come. */
  private void closeIfUnused(Pin pin) {
    boolean isKnown = byVersion.get(pin.version) == pin;
    if (pin.users == 0 && !(isKnown && pin.version == newest)) {
      if (isKnown) {
        byVersion.remove(pin.version);
      }
      close(pin);
    }
  }

  /**
   * To be told when the cache has been made to let go of versions: the next transactions read them
   * anew. Those that use what is held go on with it.
   */
  synchronized void forget() {
    List<Pin> before = List.copyOf(byVersion.values());
    byVersion.clear();
    before.forEach(this::closeIfUnused);
  }

  /** Waits a while for those who are about to end: the instance is open as long as a version is. */
  @Override
  public synchronized void close() {
    closed = true;
    forget();
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(MAX_END_MS);
    try {
      for (long left = until - System.nanoTime(); users > 0 && left > 0; ) {
        TimeUnit.NANOSECONDS.timedWait(this, left);
        left = until - System.nanoTime();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void close(Pin pin) {
    try {
      pin.holder.close();
    } catch (SQLException e) {
      throw new IllegalStateException("closing a connection failed", e);
    }
  }
}
