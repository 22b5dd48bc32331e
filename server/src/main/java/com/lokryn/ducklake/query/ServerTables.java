package com.lokryn.ducklake.query;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Sql;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The tables of the catalog {@code server}, which show what this server does. In the engine each is
 * a view of a temporary table, and every statement that reads one finds in the table of its own
 * connection what its user may see. Thread-safe.
 */
public final class ServerTables {
  /** How the temporary tables are called that the views are of. */
  public static final String PREFIX = "__ducklake_flight_";

  private static final String CATALOG = "server";

  /**
   * A column.
   *
   * @param type DuckDB's
   * @param comment what it says, for those who look at the catalog
   * @param value a {@link String}, {@link Long}, {@link Double}, {@link Boolean} or {@link
   *     java.time.OffsetDateTime}, as the type has it
   */
  record Column<T>(String name, String type, String comment, Function<T, @Nullable Object> value) {}

  /**
   * A table.
   *
   * @param user whose a row is
   * @param rows as they are now
   */
  record Table<T>(String name, Function<T, String> user, Rows<T> rows, List<Column<T>> columns) {
    /** Gives the rows of a table. */
    interface Rows<T> {
      List<T> now();
    }

    private String temporary() {
      return "temp.main." + Sql.identifier(PREFIX + name);
    }

    private String create() {
      return "CREATE OR REPLACE TEMPORARY TABLE %s (%s)"
          .formatted(
              temporary(),
              columns.stream()
                  .map(column -> Sql.identifier(column.name) + " " + column.type)
                  .collect(Collectors.joining(", ")));
    }

    /** Those of a reader's, the last ones first. */
    private List<Map<String, @Nullable Object>> show(Identity reader, int most) {
      return rows.now().reversed().stream()
          .filter(row -> Administration.mayActOn(reader, user.apply(row)))
          .limit(most)
          .map(this::shown)
          .toList();
    }

    private Map<String, @Nullable Object> shown(T row) {
      var shown = new LinkedHashMap<String, @Nullable Object>();
      for (Column<T> column : columns) {
        shown.put(column.name, column.value.apply(row));
      }
      return shown;
    }

    private void fill(EngineConnection connection, Identity reader) throws EngineException {
      connection.run(create());
      var shown = new ArrayList<List<@Nullable Object>>();
      for (T row : rows.now()) {
        if (Administration.mayActOn(reader, user.apply(row))) {
          shown.add(columns.stream().<@Nullable Object>map(one -> one.value.apply(row)).toList());
        }
      }
      connection.append(PREFIX + name, shown);
    }
  }

  private final List<Table<?>> tables;

  ServerTables(Table<?>... tables) {
    this.tables = List.copyOf(Arrays.asList(tables));
  }

  /** All of them. */
  List<Table<?>> all() {
    return tables;
  }

  /** The statements that make the catalog in an engine. */
  public List<String> setUp() {
    var statements = new ArrayList<String>();
    statements.add("ATTACH ':memory:' AS " + CATALOG);
    for (Table<?> table : tables) {
      String view = CATALOG + ".main." + Sql.identifier(table.name);
      // The view keeps its columns when the table has gone.
      statements.add(table.create());
      statements.add("CREATE VIEW %s AS SELECT * FROM %s".formatted(view, table.temporary()));
      for (Column<?> column : table.columns) {
        statements.add(
            "COMMENT ON COLUMN %s.%s IS %s"
                .formatted(view, Sql.identifier(column.name), Sql.literal(column.comment)));
      }
      statements.add("DROP TABLE " + table.temporary());
    }
    return List.copyOf(statements);
  }

  /**
   * Fills the tables that a statement reads; the connection is not to serve others afterwards.
   *
   * @param names without the catalog
   * @throws QueryException where there is no table of that name
   */
  void fill(EngineConnection connection, Set<String> names, Identity reader)
      throws EngineException {
    for (String name : names) {
      find(name).fill(connection, reader);
    }
  }

  /**
   * What a reader may see of a table, by column, without the engine.
   *
   * @param most so many rows, of those that came last
   */
  public List<Map<String, @Nullable Object>> show(String name, Identity reader, int most) {
    return find(name).show(reader, most);
  }

  private Table<?> find(String name) {
    return tables.stream()
        .filter(table -> table.name.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new QueryException(
                    Problem.UNKNOWN_HANDLE,
                    "there is no table %s in the catalog server, which has %s; what is in a schema of the lake of that name is lake.server.%s"
                        .formatted(
                            name,
                            tables.stream().map(Table::name).collect(Collectors.joining(", ")),
                            name)));
  }
}
