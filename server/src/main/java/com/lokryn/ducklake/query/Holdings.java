package com.lokryn.ducklake.query;

import com.lokryn.ducklake.observe.Limit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * What users hold of the connections to the catalog: a statement at work has one, and so have an
 * open result and a transaction. No user may have so many that there are none left for the others.
 * Thread-safe.
 */
public final class Holdings {
  /** A connection that is held until this is closed; more than once does no harm. */
  public final class Hold implements AutoCloseable {
    private final String user;
    private final boolean isOfTransaction;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Hold(String user, boolean isOfTransaction) {
      this.user = user;
      this.isOfTransaction = isOfTransaction;
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        if (isOfTransaction) {
          transactions.decrement();
        }
        giveBack(user);
      }
    }
  }

  private final int connections;
  private final Map<String, Integer> held = new HashMap<>();
  private final LongAdder transactions = new LongAdder();
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  /**
   * @param connections how many there are for all; 0 where nothing bounds them
   */
  public Holdings(int connections) {
    this.connections = connections;
  }

  /** Takes one; whoever begins something new asks {@link #of} before. */
  public Hold take(String user) {
    return take(user, false);
  }

  /** Takes one for a transaction. */
  Hold takeForTransaction(String user) {
    transactions.increment();
    return take(user, true);
  }

  private Hold take(String user, boolean isOfTransaction) {
    synchronized (this) {
      held.merge(user, 1, Integer::sum);
    }
    return new Hold(user, isOfTransaction);
  }

  /** Transactions that hold one. */
  public int transactions() {
    return transactions.intValue();
  }

  /**
   * Requires that a statement may begin that is in no transaction; it has one already, as what is
   * at work has.
   */
  void require(String user) {
    int number = of(user);
    if (number > mostOfUser(true)) {
      throw new QueryException(Limit.CATALOG_CONNECTIONS, refusal(number - 1));
    }
  }

  static String refusal(int number) {
    return ("your open results and transactions hold %d connections to the catalog, as many as one"
            + " user may have. Read or close some")
        .formatted(number);
  }

  /** How many a user holds now. */
  synchronized int of(String user) {
    return held.getOrDefault(user, 0);
  }

  /**
   * How many one may hold.
   *
   * @param alone true when no other user was there lately
   */
  int mostOfUser(boolean alone) {
    return connections == 0 ? Integer.MAX_VALUE : Admission.Limits.most(connections, alone);
  }

  /** Has somebody called whenever one is given back. */
  void onGivenBack(Runnable listener) {
    listeners.add(listener);
  }

  private void giveBack(String user) {
    synchronized (this) {
      held.computeIfPresent(user, (_, before) -> before == 1 ? null : before - 1);
    }
    listeners.forEach(Runnable::run);
  }
}
