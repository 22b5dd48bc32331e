package com.lokryn.ducklake.lake.maintenance;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Sql;
import com.lokryn.ducklake.lake.LakeCatalog;
import com.lokryn.ducklake.lake.RemoteLake;
import java.time.Duration;
import java.util.List;

/**
 * DuckLake's own tables, asked for what its functions do not tell. SQL is of the kind that both
 * Postgres and DuckDB take, with {@code {c}} before the name of each table. Used by one thread.
 */
sealed interface Metadata {
  /** Rows as text. */
  List<List<String>> rows(String sql) throws EngineException;

  /** Changes something, in a transaction of its own. */
  void run(String sql) throws EngineException;

  /** A query of these tables as what stands in parentheses after FROM, in the engine's SQL. */
  String from(String sql);

  /** The names of those that begin so. */
  List<String> tables(String prefix) throws EngineException;

  /**
   * The time that lies so far before all that others have begun and not ended, by the clock of the
   * catalog.
   */
  String beforeOthers(Duration age) throws EngineException;

  /** The time so long ago, by the clock of the catalog. */
  default String ago(Duration age) throws EngineException {
    return rows("SELECT (now() - %s)::text".formatted(interval(age))).getFirst().getFirst();
  }

  /** The number in the first column of the first row. */
  default long number(String sql) throws EngineException {
    return Long.parseLong(rows(sql).getFirst().getFirst());
  }

  private static String interval(Duration age) {
    return "INTERVAL '%d milliseconds'".formatted(age.toMillis());
  }

  /** In a DuckDB file, which nobody else has open. */
  record Local(EngineConnection connection) implements Metadata {
    private static final String DATABASE = "__ducklake_metadata_" + LakeCatalog.NAME;

    private static String here(String sql) {
      return sql.replace("{c}", DATABASE + ".main.");
    }

    @Override
    public List<List<String>> rows(String sql) throws EngineException {
      return connection.rows(here(sql));
    }

    @Override
    public void run(String sql) throws EngineException {
      connection.run(here(sql));
    }

    @Override
    public String from(String sql) {
      return here(sql);
    }

    @Override
    public List<String> tables(String prefix) throws EngineException {
      return connection
          .rows(
              "SELECT table_name FROM duckdb_tables() WHERE database_name = '%s'"
                      .formatted(DATABASE)
                  + " AND starts_with(table_name, %s) ORDER BY 1".formatted(Sql.literal(prefix)))
          .stream()
          .map(List::getFirst)
          .toList();
    }

    @Override
    public String beforeOthers(Duration age) throws EngineException {
      return ago(age);
    }
  }

  /** In Postgres, which others use at the same time. */
  record Shared(EngineConnection connection) implements Metadata {
    private static final String SCHEMA = "public";

    private static String there(String sql) {
      return sql.replace("{c}", SCHEMA + ".");
    }

    @Override
    public List<List<String>> rows(String sql) throws EngineException {
      return connection.rows(RemoteLake.ask(there(sql)));
    }

    @Override
    public void run(String sql) throws EngineException {
      connection.run(RemoteLake.tell(there(sql)));
    }

    @Override
    public String from(String sql) {
      return RemoteLake.ask(there(sql));
    }

    @Override
    public List<String> tables(String prefix) throws EngineException {
      return rows(
              "SELECT tablename::text FROM pg_tables WHERE schemaname = '%s'".formatted(SCHEMA)
                  + " AND left(tablename, %d) = '%s' ORDER BY 1".formatted(prefix.length(), prefix))
          .stream()
          .map(List::getFirst)
          .toList();
    }

    /**
     * Who uses the lake has a transaction in its catalog for as long as that lasts: a server's or a
     * DuckDB client's, of a query, a result on its way, or a transaction.
     */
    @Override
    public String beforeOthers(Duration age) throws EngineException {
      return rows(("SELECT (least(now(), min(xact_start)) - %s)::text FROM pg_stat_activity"
                  + " WHERE datname = current_database() AND backend_type = 'client backend'"
                  + " AND application_name <> '%s'")
              .formatted(interval(age), RemoteLake.MAINTENANCE_NAME))
          .getFirst()
          .getFirst();
    }
  }
}
