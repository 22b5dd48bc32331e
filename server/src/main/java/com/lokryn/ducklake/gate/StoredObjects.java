package com.lokryn.ducklake.gate;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.gate.Functions.Space;
import com.lokryn.ducklake.gate.StoredObject.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The views and macros of one version of the lake's schema, as its catalog has them. They are read
 * from the catalog's tables: the engine's functions would also look at the lake's files, or list
 * thousands of functions of its own.
 */
public final class StoredObjects {

  private static final String VIEWS =
      "SELECT s.schema_name, o.view_name, 'view', o.sql"
          + " FROM __ducklake_metadata_lake.ducklake_view o"
          + " JOIN __ducklake_metadata_lake.ducklake_schema s ON s.schema_id = o.schema_id"
          + " WHERE ";

  private static final String MACROS =
      "SELECT s.schema_name, o.macro_name, i.type, i.sql"
          + " FROM __ducklake_metadata_lake.ducklake_macro o"
          + " JOIN __ducklake_metadata_lake.ducklake_macro_impl i ON i.macro_id = o.macro_id"
          + " JOIN __ducklake_metadata_lake.ducklake_schema s ON s.schema_id = o.schema_id"
          + " WHERE ";

  private static final String TABLES =
      "SELECT s.schema_name, o.table_name"
          + " FROM __ducklake_metadata_lake.ducklake_table o"
          + " JOIN __ducklake_metadata_lake.ducklake_schema s ON s.schema_id = o.schema_id"
          + " WHERE ";

  private final String there;
  private final Optional<Long> version;
  private final Map<String, List<StoredObject>> views = new HashMap<>();
  private final Map<String, List<StoredObject>> macros = new HashMap<>();

  private final List<StoredObject> shadows = new ArrayList<>();

  private @Nullable Map<String, Set<String>> tables;

  /**
   * @param there the condition on what its snapshot has
   * @param version of the schema
   */
  private StoredObjects(String there, Optional<Long> version) {
    this.there = there;
    this.version = version;
  }

  /**
   * Asks the catalog.
   *
   * @param snapshot the number of a snapshot
   * @param version of its schema; empty where the snapshot has expired
   */
  static StoredObjects at(
      long snapshot, Optional<Long> version, EngineConnection connection, String exports)
      throws EngineException {
    String there =
        "o.begin_snapshot <= %1$d AND (o.end_snapshot IS NULL OR o.end_snapshot > %1$d)"
            .formatted(snapshot);
    var found = new StoredObjects(there, version);
    for (List<String> row : connection.rowsApart(VIEWS + there + " UNION ALL " + MACROS + there)) {
      found.add(object(row, exports));
    }
    return found;
  }

  /** The views that the lake has or had under a name: a query of the past finds them again. */
  static List<StoredObject> everViews(Name name, EngineConnection connection, String exports)
      throws EngineException {
    var found = new ArrayList<StoredObject>();
    for (List<String> row : connection.rows(VIEWS + "lower(o.view_name) = lower(?)", name.last())) {
      found.add(object(row, exports));
    }
    return found;
  }

  private static StoredObject object(List<String> row, String exports) {
    Kind kind =
        switch (row.get(2)) {
          case "view" -> Kind.VIEW;
          case "scalar" -> Kind.MACRO;
          default -> Kind.TABLE_MACRO;
        };
    return new StoredObject(kind, Name.of(Name.LAKE, row.get(0), row.get(1)), row.get(3), exports);
  }

  private void add(StoredObject object) {
    String name = object.name().last();
    (object.isView() ? views : macros).computeIfAbsent(name, _ -> new ArrayList<>()).add(object);
    boolean isOfEngine =
        Functions.use(Space.SCALAR, name).or(() -> Functions.use(Space.TABLE, name)).isPresent();
    if (!object.isView() && isOfEngine) {
      shadows.add(object);
    }
  }

  /** The version of the lake's schema; empty where nobody could tell. */
  public Optional<Long> version() {
    return version;
  }

  /**
   * Macros of the name of a function of the engine's, which come before it: many are called by what
   * names none, an operator, a subscript, a SUMMARIZE.
   */
  List<StoredObject> shadows() {
    return shadows;
  }

  /** The schemas that have a table, by the names of tables; asked for when first needed. */
  synchronized Map<String, Set<String>> tables(EngineConnection connection) throws EngineException {
    if (tables == null) {
      var found = new HashMap<String, Set<String>>();
      for (List<String> row : connection.rows(TABLES + there)) {
        found
            .computeIfAbsent(Name.fold(row.get(1)), _ -> new HashSet<>())
            .add(Name.fold(row.get(0)));
      }
      tables = found;
    }
    return tables;
  }

  /** Those of that name, whatever schema they are in. */
  List<StoredObject> views(String name) {
    return views.getOrDefault(name, List.of());
  }

  List<StoredObject> macros(String name) {
    return macros.getOrDefault(name, List.of());
  }

  /** Views and macros: where all views are looked at, any macro may stand before a function. */
  List<List<StoredObject>> all() {
    return Stream.concat(views.values().stream(), macros.values().stream()).toList();
  }
}
