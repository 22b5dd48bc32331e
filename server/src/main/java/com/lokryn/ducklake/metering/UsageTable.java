package com.lokryn.ducklake.metering;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Sql;
import com.lokryn.ducklake.lake.RemoteLake;
import com.lokryn.ducklake.metering.UsageRow.State;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The rows of one meter in the catalog's Postgres, in one transaction. Used by one thread.
 *
 * <p>The engine runs all of a transaction in Postgres as REPEATABLE READ on one connection: a row
 * that another process has changed since it was read cannot be changed, and the transaction fails.
 */
final class UsageTable {
  /** DuckLake's own tables are in that schema. */
  private static final String NAME = "public.ducklake_flight_usage";

  private static final String CREATE =
      """
      CREATE TABLE IF NOT EXISTS %1$s (
        id text PRIMARY KEY,
        product text NOT NULL,
        dimension text NOT NULL,
        unit text NOT NULL,
        process text NOT NULL,
        place text NOT NULL,
        pid bigint NOT NULL,
        hour timestamptz NOT NULL,
        state text NOT NULL,
        parts bigint NOT NULL,
        units integer NOT NULL,
        in_doubt boolean NOT NULL,
        counted bigint NOT NULL,
        written timestamptz NOT NULL,
        record_id text
      );
      CREATE UNIQUE INDEX IF NOT EXISTS ducklake_flight_usage_record ON %1$s
        (product, dimension, place, hour) WHERE state <> 'open'
      """
          .formatted(NAME);

  private final EngineConnection connection;
  private final Meter meter;

  UsageTable(EngineConnection connection, Meter meter) {
    this.connection = connection;
    this.meter = meter;
  }

  /** Makes the table, where it is not there. */
  void create() throws EngineException {
    if (ask("SELECT to_regclass('%s')::text AS name".formatted(NAME)).getFirst().getFirst()
        == null) {
      run(CREATE);
    }
  }

  /** The open rows of all processes, and what has not been sent. */
  List<UsageRow> pending() throws EngineException {
    return rows("state IN ('open', 'sealed')");
  }

  Optional<UsageRow> find(String id) throws EngineException {
    return rows("id = " + Sql.literal(id)).stream().findFirst();
  }

  /** True when a place has a record of the hour already, whatever became of it. */
  boolean hasRecord(String place, Instant hour) throws EngineException {
    return !rows("state <> 'open' AND place = %s AND hour = %s"
            .formatted(Sql.literal(place), time(hour)))
        .isEmpty();
  }

  /** Writes a row, new or in place of the one with its id. */
  void put(UsageRow row) throws EngineException {
    put(row, Optional.empty());
  }

  void put(UsageRow row, Optional<String> recordId) throws EngineException {
    run(
        """
        INSERT INTO %s (id, product, dimension, unit, process, place, pid, hour, state, parts,
          units, in_doubt, counted, written, record_id)
        VALUES (%s, %s, %s, %s, %s, %s, %d, %s, %s, %d, %d, %b, %d, %s, %s)
        ON CONFLICT (id) DO UPDATE SET process = excluded.process, place = excluded.place,
          pid = excluded.pid, hour = excluded.hour, state = excluded.state, parts = excluded.parts,
          units = excluded.units, in_doubt = excluded.in_doubt, counted = excluded.counted,
          written = excluded.written, record_id = excluded.record_id
        """
            .formatted(
                NAME,
                Sql.literal(row.id()),
                Sql.literal(meter.product()),
                Sql.literal(meter.dimension()),
                Sql.literal(word(meter.unit())),
                Sql.literal(row.owner().process()),
                Sql.literal(row.owner().place()),
                row.owner().pid(),
                time(row.hour()),
                Sql.literal(word(row.state())),
                row.parts(),
                row.units(),
                row.isInDoubt(),
                row.counted(),
                time(row.written()),
                recordId.map(Sql::literal).orElse("NULL")));
  }

  void delete(UsageRow row) throws EngineException {
    run("DELETE FROM %s WHERE id = %s".formatted(NAME, Sql.literal(row.id())));
  }

  /** Forgets what nobody needs any more. */
  void deleteOld(Duration age, Instant now) throws EngineException {
    run(
        "DELETE FROM %s WHERE %s AND written < %s AND (state IN ('sent', 'taken') OR (state = 'open' AND parts = 0))"
            .formatted(NAME, ofMeter(), time(now.minus(age))));
  }

  private List<UsageRow> rows(String condition) throws EngineException {
    return ask(
            """
            SELECT id, process, place, pid, extract(epoch FROM hour)::bigint AS hour, state, parts,
              units, in_doubt, counted, extract(epoch FROM written)::bigint AS written
            FROM %s WHERE %s AND %s ORDER BY hour, id
            """
                .formatted(NAME, ofMeter(), condition))
        .stream()
        .map(UsageTable::row)
        .toList();
  }

  private static UsageRow row(List<String> values) {
    return new UsageRow(
        values.get(0),
        new Owner(values.get(1), values.get(2), Long.parseLong(values.get(3))),
        Instant.ofEpochSecond(Long.parseLong(values.get(4))),
        State.valueOf(values.get(5).toUpperCase(Locale.ROOT)),
        Long.parseLong(values.get(6)),
        Integer.parseInt(values.get(7)),
        Boolean.parseBoolean(values.get(8)),
        Long.parseLong(values.get(9)),
        Instant.ofEpochSecond(Long.parseLong(values.get(10))));
  }

  /** Rows of another product, dimension or unit are none of this meter's. */
  private String ofMeter() {
    return "product = %s AND dimension = %s AND unit = %s"
        .formatted(
            Sql.literal(meter.product()),
            Sql.literal(meter.dimension()),
            Sql.literal(word(meter.unit())));
  }

  private List<List<String>> ask(String sql) throws EngineException {
    return connection.rows(RemoteLake.ask(sql));
  }

  private void run(String sql) throws EngineException {
    connection.run(RemoteLake.tell(sql));
  }

  private static String time(Instant instant) {
    return "to_timestamp(%d)".formatted(instant.getEpochSecond());
  }

  private static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
