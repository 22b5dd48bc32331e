package com.lokryn.ducklake.metering;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.metering.UsageRow.State;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongPredicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The usage of this process in the catalog's Postgres, and what processes that are gone have left
 * there. What is in Postgres is what counts: each step reads it and writes it in one transaction,
 * so that a step whose answer was lost can be done again. Used by one thread.
 */
final class UsageLedger {
  /** AWS takes no record for an hour that began longer ago. */
  static final Duration MAX_AGE = Duration.ofHours(6);

  /** For those who compare AWS's bill with it. */
  static final Duration KEPT = Duration.ofDays(2);

  private static final int MAX_ATTEMPTS = 5;

  private static final Pattern MET_ANOTHER =
      Pattern.compile("could not serialize|duplicate key|already exists|deadlock detected");

  /** Opens a connection of the engine. */
  interface Connector {
    EngineConnection connect() throws EngineException;
  }

  private final Connector connector;
  private final Meter meter;
  private final Owner self;
  private final Duration silence;
  private final LongPredicate isAlive;
  private boolean created;

  /** What was counted when the open row was written last: if somebody deleted it since. */
  private long counted;

  /**
   * @param silence how long a process does not write its row before it is taken for gone
   * @param isAlive whether this place has a process of that number
   */
  UsageLedger(
      Connector connector, Meter meter, Owner self, Duration silence, LongPredicate isAlive) {
    this.connector = connector;
    this.meter = meter;
    this.self = self;
    this.silence = silence;
    this.isAlive = isAlive;
  }

  /**
   * Adds what was counted since the last time to the open row. When its hour is over, its whole
   * units become a record of that hour, and the rest goes on to the present one.
   *
   * @param count what this process has counted in all
   * @param isLast whether to make a record though the hour is not over
   */
  void account(long count, Instant now, boolean isLast) throws EngineException {
    write(
        table -> {
          UsageRow open = open(table, now);
          UsageRow grown =
              open.withParts(open.parts() + count - open.counted()).counted(count, now);
          table.put(isLast || grown.hour().isBefore(hour(now)) ? sealed(table, grown, now) : grown);
        });
    counted = count;
  }

  /** Makes a record of an open row; returns what stays open. */
  private UsageRow sealed(UsageTable table, UsageRow open, Instant now) throws EngineException {
    int units = (int) Math.min(open.parts() / meter.partsPerUnit(), Integer.MAX_VALUE);
    // A process that ran here before may have had the hour's record: another one would be refused,
    // or, with the same number of units, be taken for that one again.
    if (units == 0 || table.hasRecord(self.place(), open.hour())) {
      return open.in(latest(open.hour(), hour(now)));
    }
    long parts = units * meter.partsPerUnit();
    table.put(
        new UsageRow(
            UUID.randomUUID().toString(),
            self,
            open.hour(),
            State.SEALED,
            parts,
            units,
            false,
            0,
            now));
    return open.withParts(open.parts() - parts).in(latest(open.hour(), hour(now)));
  }

  /** The records that this process has to send, the oldest first. */
  List<UsageRow> due() throws EngineException {
    return inTransaction(
        table ->
            table.pending().stream()
                .filter(row -> row.state() == State.SEALED && row.isOf(self))
                .toList());
  }

  /**
   * Notes that a record is being sent, before it is.
   *
   * @return false where it is no longer this process's to send
   */
  boolean begin(UsageRow record) throws EngineException {
    return inTransaction(
        table -> {
          Optional<UsageRow> mine = mine(table, record);
          if (mine.isPresent()) {
            table.put(mine.get().doubted(true));
          }
          return mine.isPresent();
        });
  }

  /** Notes that a record which was not in doubt was certainly not taken. */
  void notRecorded(UsageRow record) throws EngineException {
    change(record, (table, mine) -> table.put(mine.doubted(false)));
  }

  void accepted(UsageRow record, String recordId, Instant now) throws EngineException {
    change(
        record,
        (table, mine) ->
            table.put(mine.now(State.SENT, now).doubted(false), Optional.of(recordId)));
  }

  /** Puts a record that was not taken, because its hour has another one, into the open row. */
  void taken(UsageRow record, Instant now) throws EngineException {
    change(
        record,
        (table, mine) -> {
          table.put(mine.now(State.TAKEN, now).doubted(false));
          addToOpen(table, mine.parts(), now);
        });
  }

  /** Puts a record that will never be taken for its hour into the open row. */
  void carry(UsageRow record, Instant now) throws EngineException {
    change(
        record,
        (table, mine) -> {
          table.delete(mine);
          addToOpen(table, mine.parts(), now);
        });
  }

  /** Gives up a record that may be recorded or not. */
  void drop(UsageRow record) throws EngineException {
    change(record, UsageTable::delete);
  }

  /**
   * Takes over what processes have left that are gone, and deletes what nobody needs. What such a
   * process had open, or had not tried to send, is added to this one's open row. What it sent, and
   * knew no answer of, can only be sent again from its place.
   *
   * @return the records that were given up, since they may be recorded or not
   */
  List<UsageRow> adopt(Instant now) throws EngineException {
    return inTransaction(
        table -> {
          table.deleteOld(KEPT, now);
          List<UsageRow> pending = table.pending();
          Map<String, List<UsageRow>> byProcess =
              pending.stream()
                  .filter(row -> !row.isOf(self))
                  .collect(Collectors.groupingBy(row -> row.owner().process()));
          var dropped = new ArrayList<UsageRow>();
          long parts = 0;
          for (List<UsageRow> left : byProcess.values()) {
            if (isGone(left, now)) {
              parts += adopt(table, left, now, dropped);
            }
          }
          if (parts > 0) {
            addToOpen(table, parts, now);
          }
          return dropped;
        });
  }

  private long adopt(UsageTable table, List<UsageRow> left, Instant now, List<UsageRow> dropped)
      throws EngineException {
    long parts = 0;
    for (UsageRow row : left) {
      if (row.isOpen()) {
        if (row.parts() > 0) {
          parts += row.parts();
          // Not deleted: a process that is not gone after all goes on from what it had counted.
          table.put(row.withParts(0));
        }
      } else if (row.owner().place().equals(self.place())) {
        table.put(row.of(self));
      } else if (!row.isInDoubt()) {
        parts += row.parts();
        table.delete(row);
      } else if (row.isOlderThan(MAX_AGE, now)) {
        dropped.add(row);
        table.delete(row);
      }
    }
    return parts;
  }

  private boolean isGone(List<UsageRow> left, Instant now) {
    boolean hasMore = left.stream().anyMatch(row -> !row.isOpen() || row.parts() > 0);
    return hasMore
        && left.stream()
            .filter(UsageRow::isOpen)
            .allMatch(row -> row.written().plus(silence).isBefore(now) || isDead(row.owner()));
  }

  /** Of another place it cannot be known at once. The number may be this process's own by now. */
  private boolean isDead(Owner owner) {
    return owner.place().equals(self.place())
        && (owner.pid() == self.pid() || !isAlive.test(owner.pid()));
  }

  /** Lets others have what is left in the open row; to be done at the end. */
  void release(Instant now) throws EngineException {
    write(table -> table.put(open(table, now).writtenAt(UsageRow.RELEASED)));
  }

  private void addToOpen(UsageTable table, long parts, Instant now) throws EngineException {
    UsageRow open = open(table, now);
    table.put(open.withParts(open.parts() + parts));
  }

  private UsageRow open(UsageTable table, Instant now) throws EngineException {
    return table.find(self.process()).orElseGet(() -> UsageRow.open(self, hour(now), counted, now));
  }

  private Optional<UsageRow> mine(UsageTable table, UsageRow record) throws EngineException {
    return table.find(record.id()).filter(row -> row.isOf(self) && row.state() == State.SEALED);
  }

  private interface Change {
    void apply(UsageTable table, UsageRow mine) throws EngineException;
  }

  private void change(UsageRow record, Change change) throws EngineException {
    write(
        table -> {
          Optional<UsageRow> mine = mine(table, record);
          if (mine.isPresent()) {
            change.apply(table, mine.get());
          }
        });
  }

  private interface Step {
    void run(UsageTable table) throws EngineException;
  }

  private void write(Step step) throws EngineException {
    var _ =
        inTransaction(
            table -> {
              step.run(table);
              return true;
            });
  }

  private interface Work<T> {
    T run(UsageTable table) throws EngineException;
  }

  /** Runs work, and again where another process has changed the same rows meanwhile. */
  private <T> T inTransaction(Work<T> work) throws EngineException {
    for (int attempt = 1; ; attempt++) {
      try {
        return inOneTransaction(work);
      } catch (EngineException e) {
        // The table may have been deleted as well.
        created = false;
        if (attempt == MAX_ATTEMPTS || !MET_ANOTHER.matcher(e.text()).find()) {
          throw e;
        }
      }
    }
  }

  private <T> T inOneTransaction(Work<T> work) throws EngineException {
    try (EngineConnection connection = connector.connect()) {
      if (!created) {
        new UsageTable(connection, meter).create();
        created = true;
      }
      connection.run("BEGIN");
      try {
        T result = work.run(new UsageTable(connection, meter));
        connection.run("COMMIT");
        return result;
      } catch (EngineException | RuntimeException e) {
        connection.rollBack(e);
        throw e;
      }
    }
  }

  private static Instant hour(Instant instant) {
    return instant.truncatedTo(ChronoUnit.HOURS);
  }

  /** A clock that was set back must not open an hour again. */
  private static Instant latest(Instant a, Instant b) {
    return a.isAfter(b) ? a : b;
  }
}
