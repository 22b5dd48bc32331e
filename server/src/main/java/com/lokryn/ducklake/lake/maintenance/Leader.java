package com.lokryn.ducklake.lake.maintenance;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.lake.RemoteLake;

/**
 * The one of all processes that maintains a lake in Postgres: a lock of a transaction there, which
 * ends with the process, however that ends. A lake in a directory is held by one process anyway.
 */
final class Leader implements AutoCloseable {
  /** "ducklake" in ASCII, plus one: no other lock of the lake's database has this number. */
  private static final long NUMBER = 0x6475_636b_6c61_6b66L;

  private static final String HOLDER =
      "SELECT coalesce(host(a.client_addr), 'this machine') || ' since '"
          + " || to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC'"
          + " FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
          + " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
          + " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
          + " AND ((l.classid::bigint << 32) | l.objid::bigint) = "
          + NUMBER;

  private final EngineConnection connection;

  /**
   * @param connection closed with this
   */
  Leader(EngineConnection connection) {
    this.connection = connection;
  }

  /** Tries to become it; false when another one is. */
  boolean tryLead() throws EngineException {
    connection.begin(false);
    return connection.rows(RemoteLake.tryLock(NUMBER)).getFirst().getFirst().equals("true");
  }

  /** Where the other one is at work, and since when, as far as Postgres tells. */
  static String other(Metadata metadata) throws EngineException {
    return metadata.rows(HOLDER).stream()
        .map(row -> String.valueOf(row.getFirst()))
        .findFirst()
        .orElse("another process");
  }

  /** Fails when the lock may have been lost meanwhile: it is gone with its connection. */
  void require() throws EngineException {
    var _ = connection.rows(RemoteLake.ask("SELECT true"));
  }

  @Override
  public void close() {
    connection.close();
  }
}
