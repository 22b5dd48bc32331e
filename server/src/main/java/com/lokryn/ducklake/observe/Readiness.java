package com.lokryn.ducklake.observe;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Whether the server takes queries, and what keeps it from it: one condition for each thing that it
 * needs. The whole is ready while all conditions hold. Thread-safe.
 */
public final class Readiness {
  /** What is looked at, in the order in which it is shown. */
  public enum Check {
    ENGINE,
    CATALOG,
    S3,
    CREDENTIALS,
    DRAIN;

    /** The name that health checks and scripts see. */
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * One condition.
   *
   * @param detail a sentence for anyone who reaches the port: it holds no secret, no path, and no
   *     text of another service
   */
  public record Condition(Check check, boolean isOk, String detail) {}

  private static final String OK = "ok";

  private final Map<Check, Condition> conditions = new EnumMap<>(Check.class);
  private final List<Consumer<Boolean>> listeners = new ArrayList<>();

  /** Sets a condition that holds; one that was never set does not count. */
  public void ok(Check check) {
    set(new Condition(check, true, OK));
  }

  /**
   * Sets a condition that does not hold.
   *
   * @param detail see {@link Condition}
   */
  public void notOk(Check check, String detail) {
    set(new Condition(check, false, detail));
  }

  private synchronized void set(Condition condition) {
    boolean before = isReady();
    conditions.put(condition.check(), condition);
    boolean after = isReady();
    if (before != after) {
      listeners.forEach(listener -> listener.accept(after));
    }
  }

  /** True while there are conditions and all of them hold. */
  public synchronized boolean isReady() {
    return !conditions.isEmpty() && conditions.values().stream().allMatch(Condition::isOk);
  }

  /** All conditions, in the order of {@link Check}. */
  public synchronized List<Condition> conditions() {
    return List.copyOf(conditions.values());
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
