package com.lokryn.ducklake.engine;

import com.lokryn.ducklake.engine.SchemaPins.Pin;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What one connection holds of the lake's schema: the version that its transactions have used last;
 * more than once where it was read anew, as plans may use what was read before. Thread-safe.
 */
final class HeldSchemas {
  private final SchemaPins pins;
  private final List<Pin> held = new ArrayList<>(1);

  /** True once the transaction that is open has its version. */
  private boolean isForTransaction;

  HeldSchemas(SchemaPins pins) {
    this.pins = pins;
  }

  /** A transaction begins, or has ended: what it sees is not known yet. */
  synchronized void transactionChanges() {
    isForTransaction = false;
  }

  synchronized boolean isForTransaction() {
    return isForTransaction;
  }

  /** Holds a version if it is held for others already; false where it has to be read. */
  boolean hold(long version) {
    Optional<Pin> found = pins.take(version);
    found.ifPresent(this::keep);
    return found.isPresent();
  }

  /**
   * Holds a version that may have to be read.
   *
   * @param snapshot of the lake that has it
   */
  void read(long version, long snapshot) throws EngineException {
    keep(pins.hold(version, snapshot));
  }

  private synchronized void keep(Pin pin) {
    if (held.contains(pin)) {
      pins.release(pin);
    } else {
      for (Pin other : List.copyOf(held)) {
        if (other.version() != pin.version()) {
          held.remove(other);
          pins.release(other);
        }
      }
      held.add(pin);
    }
    isForTransaction = true;
  }

  /** Lets go of all of it, once nothing of the connection uses it any more. */
  synchronized void release() {
    held.forEach(pins::release);
    held.clear();
  }
}
