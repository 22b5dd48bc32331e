package com.lokryn.ducklake.observe;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Whether the server takes queries, and what keeps it from it: one condition for each thing that it
 * needs. The whole is ready while all conditions hold that block it. Thread-safe.
 */
public final class Readiness {
  /**
   * One condition.
   *
   * @param blocks whether queries must not come while it does not hold; what only matters later, as
   *     a certificate that cannot be renewed, is shown and blocks nothing
   * @param detail a sentence for anyone who reaches the port: it holds no secret, no path, and no
   *     text of another service
   */
  public record Condition(CheckId check, boolean isOk, boolean blocks, String detail) {
    private boolean permits() {
      return isOk || !blocks;
    }
  }

  private static final String OK = "ok";

  private final Map<CheckId, Condition> conditions = new EnumMap<>(CheckId.class);
  private final List<Consumer<Boolean>> listeners = new ArrayList<>();

  /** Sets a condition that holds; one that was never set does not count. */
  public void ok(CheckId check) {
    set(new Condition(check, true, true, OK));
  }

  /**
   * Sets a condition that does not hold, and without which no queries may come.
   *
   * @param detail see {@link Condition}
   */
  public void notOk(CheckId check, String detail) {
    set(new Condition(check, false, true, detail));
  }

  /**
   * Sets a condition that does not hold, beside which queries go on.
   *
   * @param detail see {@link Condition}
   */
  public void warn(CheckId check, String detail) {
    set(new Condition(check, false, false, detail));
  }

  private synchronized void set(Condition condition) {
    boolean before = isReady();
    conditions.put(condition.check(), condition);
    boolean after = isReady();
    if (before != after) {
      listeners.forEach(listener -> listener.accept(after));
    }
  }

  /** True while there are conditions, and all of them hold that block queries. */
  public synchronized boolean isReady() {
    return !conditions.isEmpty() && conditions.values().stream().allMatch(Condition::permits);
  }

  /** The whole, and all conditions in the order of {@link CheckId}, at one time. */
  public record State(boolean isReady, List<Condition> conditions) {}

  public synchronized State state() {
    return new State(isReady(), List.copyOf(conditions.values()));
  }

  /**
   * Tells a listener whether the server is ready: now, and each time that it changes, in the order
   * of the changes. The listener must not wait for anything.
   */
  public synchronized void listen(Consumer<Boolean> listener) {
    listeners.add(listener);
    listener.accept(isReady());
  }
}
