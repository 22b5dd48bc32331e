package com.lokryn.ducklake.metering;

import java.time.Duration;
import java.time.Instant;

/**
 * Usage as it stands in the catalog. Each process has one open row that it adds to; a record that
 * is to be sent is a row of its own, whose quantity never changes.
 *
 * @param id of an open row, its process
 * @param hour its beginning; of an open row, the hour that it will be sent for
 * @param parts nanoseconds or bytes
 * @param units what is sent; 0 in an open row
 * @param isInDoubt whether the record was sent, and no answer told that it was not recorded
 * @param counted how much of what its process has counted is in it, or was; of an open row
 * @param written when its process wrote it last
 */
record UsageRow(
    String id,
    Owner owner,
    Instant hour,
    State state,
    long parts,
    int units,
    boolean isInDoubt,
    long counted,
    Instant written) {
  /** What has become of it. */
  enum State {
    /** Its hour is not over; it grows. */
    OPEN,
    /** To be sent. */
    SEALED,
    /** Recorded by AWS. */
    SENT,
    /** AWS has another record for its hour; its parts went on to the open row. */
    TAKEN
  }

  /** In the past enough for everyone to see that its process lets go of it. */
  static final Instant RELEASED = Instant.EPOCH;

  static UsageRow open(Owner owner, Instant hour, long counted, Instant now) {
    return new UsageRow(owner.process(), owner, hour, State.OPEN, 0, 0, false, counted, now);
  }

  UsageRow withParts(long other) {
    return new UsageRow(id, owner, hour, state, other, units, isInDoubt, counted, written);
  }

  UsageRow in(Instant otherHour) {
    return new UsageRow(id, owner, otherHour, state, parts, units, isInDoubt, counted, written);
  }

  UsageRow counted(long other, Instant now) {
    return new UsageRow(id, owner, hour, state, parts, units, isInDoubt, other, now);
  }

  UsageRow writtenAt(Instant when) {
    return new UsageRow(id, owner, hour, state, parts, units, isInDoubt, counted, when);
  }

  UsageRow now(State other, Instant now) {
    return new UsageRow(id, owner, hour, other, parts, units, isInDoubt, counted, now);
  }

  UsageRow doubted(boolean doubt) {
    return new UsageRow(id, owner, hour, state, parts, units, doubt, counted, written);
  }

  UsageRow of(Owner other) {
    return new UsageRow(id, other, hour, state, parts, units, isInDoubt, counted, written);
  }

  boolean isOpen() {
    return state == State.OPEN;
  }

  boolean isOf(Owner other) {
    return owner.process().equals(other.process());
  }

  boolean isOlderThan(Duration age, Instant now) {
    return hour.plus(age).isBefore(now);
  }
}
