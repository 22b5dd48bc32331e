package com.lokryn.ducklake.gate;

import com.lokryn.ducklake.access.Grants;
import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.access.Privilege;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Lets statements pass, or refuses them: first by their text, before the engine sees it, then by
 * what the lake's catalog has stored under the names in it, in the same transaction that the
 * statement runs in. Thread-safe.
 */
public final class Gate {
  private static final int REMEMBERED = 512;
  private static final int LONGEST_REMEMBERED = 4_096;

  private final String exports;
  private final StoredCache stored;

  /** Statements that were read, as clients send the same ones again and again. */
  private final Map<String, Statement> remembered =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Statement> eldest) {
          return size() > REMEMBERED;
        }
      };

  /**
   * @param exports below which statements may read and write files, with a slash at the end
   */
  public Gate(String exports) {
    this.exports = exports;
    this.stored = new StoredCache(exports);
  }

  /**
   * Reads a single statement.
   *
   * @throws Refusal when nobody may have it run
   * @throws EngineException when it is no SQL
   */
  public Statement read(String sql) throws EngineException {
    Optional<Statement> known = remembered(sql);
    if (known.isPresent()) {
      return known.get();
    }
    Statement statement = StatementReader.read(sql, exports);
    if (sql.length() <= LONGEST_REMEMBERED) {
      synchronized (remembered) {
        remembered.put(sql, statement);
      }
    }
    return statement;
  }

  /** A statement that was read before; empty where {@link #read} would have to be asked. */
  public Optional<Statement> remembered(String sql) {
    synchronized (remembered) {
      return Optional.ofNullable(remembered.get(sql));
    }
  }

  /**
   * Refuses what this client may not do, as far as the text tells.
   *
   * @throws Refusal with the role or the grant that it takes
   */
  public void requireAllowed(Statement statement, Identity identity, Namespace namespace) {
    new Look(identity, namespace.schema(), List.of(), Map.of()).look(statement.references());
  }

  /**
   * What the catalog has stored in a snapshot; empty where that is not known, and {@link #learn}
   * has to ask.
   */
  public Optional<StoredObjects> known(long snapshot) {
    return stored.known(snapshot);
  }

  /** The snapshot that the connection's transaction sees; in none, the newest. */
  public static long snapshot(EngineConnection connection) throws EngineException {
    return StoredCache.snapshot(connection);
  }

  /** True when a statement gives the same rows whenever it is run, whatever the lake has. */
  public static boolean isConstant(Statement statement) {
    return !statement.dependsOnCatalog()
        && statement.isReadOnly()
        && statement.references().isStable();
  }

  /** False where {@link #isStable} is false whatever the lake has stored. */
  public static boolean mayBeStable(Statement statement) {
    return statement.isReadOnly() && isStable(statement.references());
  }

  private static boolean isStable(References references) {
    return references.isStable()
        && references.relations().stream().noneMatch(References.Relation::ofThePast);
  }

  /**
   * True when a statement, which was let pass, gives the same rows whenever it is run on the
   * snapshot that has these objects, whoever runs it.
   */
  public static boolean isStable(Statement statement, StoredObjects objects) {
    return statement.isReadOnly() && isStable(statement.references(), objects, new HashSet<>());
  }

  private static boolean isStable(
      References references, StoredObjects objects, Set<StoredObject> seen) {
    if (!isStable(references)) {
      return false;
    }
    Stream<StoredObject> views =
        references.relations().stream()
            .flatMap(relation -> objects.views(relation.name().last()).stream());
    Stream<StoredObject> macros =
        references.functions().stream().flatMap(function -> objects.macros(function).stream());
    Stream<StoredObject> shadows =
        references.isCalling() ? objects.shadows().stream() : Stream.empty();
    return Stream.of(views, macros, shadows)
        .flatMap(found -> found)
        .allMatch(object -> !seen.add(object) || isStable(object.references(), objects, seen));
  }

  /**
   * True when a statement, which was let pass, is stable, and neither views nor macros of the lake
   * have part in it.
   */
  public static boolean isOfTables(Statement statement, StoredObjects objects) {
    References references = statement.references();
    return isStable(statement, objects)
        && references.relations().stream()
            .allMatch(relation -> objects.views(relation.name().last()).isEmpty())
        && references.functions().stream().allMatch(name -> objects.macros(name).isEmpty())
        && (!references.isCalling() || objects.shadows().isEmpty());
  }

  /**
   * Asks the catalog what it has stored. In a transaction that takes another connection to the
   * catalog than the transaction has; outside of one it is free again when this is done.
   *
   * @param snapshot that the connection's transaction sees, or has just seen
   */
  public StoredObjects learn(long snapshot, EngineConnection connection) throws EngineException {
    return stored.learn(snapshot, connection);
  }

  /**
   * Refuses what this client may not do by the views and macros that a statement uses.
   *
   * @param objects that the catalog has in the snapshot of the connection's transaction
   * @param connection in the transaction in which the statement will run
   * @param own the statements that made the session's own temporary views and macros, by their
   *     names
   */
  public void requireAllowed(
      Statement statement,
      Identity identity,
      Namespace namespace,
      Map<String, List<Statement>> own,
      StoredObjects objects,
      EngineConnection connection)
      throws EngineException {
    var look = new Look(identity, namespace.schema(), List.of(objects), own);
    look.look(statement.references());
    if (needsTables(statement, identity)) {
      requireWords(
          statement.references(), identity.grants().orElseThrow(), objects.tables(connection));
    }
    for (Name past : look.past) {
      for (StoredObject view : StoredObjects.everViews(past, connection, exports)) {
        look.look(view);
      }
    }
  }

  /** True when the names of the lake's tables have to be known to say whether it is allowed. */
  public static boolean needsTables(Statement statement, Identity identity) {
    return identity.grants().isPresent() && !statement.references().words().isEmpty();
  }

  /**
   * The same for a statement that may be stable, and {@link #needsTables needs no tables}: without
   * the engine.
   */
  public void requireAllowed(
      Statement statement, Identity identity, Namespace namespace, StoredObjects objects) {
    new Look(identity, namespace.schema(), List.of(objects), Map.of()).look(statement.references());
  }

  /**
   * Refuses the name of a table that is nowhere granted, wherever it stands in what was read by its
   * tokens: should a table be named in a place where none was looked for, it is found all the same.
   */
  private static void requireWords(
      References references, Grants grants, Map<String, Set<String>> tables) {
    for (String word : references.words()) {
      Set<String> schemas = tables.getOrDefault(word, Set.of());
      if (!schemas.isEmpty() && schemas.stream().noneMatch(schema -> grants.show(schema, word))) {
        throw new Refusal(
            "%s is the name of a table that is not granted to this user: what else is called so has to"
                    .formatted(word)
                + " be called otherwise in this statement");
      }
    }
  }

  /**
   * Refuses a bulk ingest that this client may not do.
   *
   * @param creates the table is made, or made anew
   */
  public static void requireIngest(
      Identity identity, String catalog, String schema, String table, boolean creates) {
    Name name = Name.of(catalog, schema, table);
    name.parts().subList(0, name.parts().size() - 1).forEach(References::requireOpenCatalog);
    if (catalog.equalsIgnoreCase(Name.TEMPORARY)) {
      return;
    }
    if (!catalog.equalsIgnoreCase(Name.LAKE)) {
      throw new Refusal("rows are written to the lake and to temporary tables, not to " + catalog);
    }
    requireRole(identity, Role.WRITER, "to write to the lake");
    identity
        .grants()
        .ifPresent(
            grants -> {
              require(grants, Privilege.INSERT, schema, table);
              if (creates) {
                require(grants, Privilege.ALTER, schema, table);
              }
            });
  }

  /** What looks at all views there are, as lists of columns do. */
  public static Statement listing() {
    var references = new References("/");
    references.list("a list");
    return new Statement(Statement.Kind.READ, Optional.empty(), references);
  }

  private static void requireRole(Identity identity, Role role, String reason) {
    if (!identity.role().includes(role)) {
      throw new Refusal(
          "the role %s is needed %s, and %s has the role %s"
              .formatted(
                  role.text(),
                  reason.startsWith("to ") ? reason : "for " + reason,
                  identity.name(),
                  identity.role().text()));
    }
  }

  private static void require(Grants grants, Privilege privilege, String schema, String table) {
    if (!grants.allow(privilege, schema, table)) {
      throw new Refusal(
          "the privilege %s on %s.%s is not granted to this user"
              .formatted(privilege.text(), schema, table));
    }
  }

  /** One look at a statement and all that it uses, each of it once. */
  private static final class Look {
    private final Identity identity;
    private final String schema;

    /** Empty as long as only the text is looked at. */
    private final List<StoredObjects> stored;

    private final Map<String, List<Statement>> own;
    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<Name> past = new LinkedHashSet<>();

    Look(
        Identity identity,
        String schema,
        List<StoredObjects> stored,
        Map<String, List<Statement>> own) {
      this.own = own;
      this.identity = identity;
      this.schema = schema;
      this.stored = stored;
    }

    void look(StoredObject object) {
      if (seen.add(object)) {
        look(object.references(), object.name().schema());
      }
    }

    void look(References references) {
      look(references, Optional.empty());
    }

    private void look(List<Statement> mine) {
      for (Statement statement : mine) {
        if (seen.add(statement)) {
          look(statement.references());
        }
      }
    }

    /**
     * @param viewSchema of the view or macro that has them
     */
    private void look(References references, Optional<String> viewSchema) {
      requireRole(identity, references.role(), references.roleReason());
      identity.grants().ifPresent(grants -> look(references, viewSchema, grants));
      for (References.Relation relation : references.relations()) {
        look(own.getOrDefault(relation.name().last(), List.of()));
      }
      for (String function : references.functions()) {
        look(own.getOrDefault(function, List.of()));
      }
      if (references.isListing()) {
        own.values().forEach(this::look);
      }
      for (StoredObjects objects : stored) {
        for (References.Relation relation : references.relations()) {
          views(objects, relation.name()).forEach(this::look);
          if (relation.ofThePast()) {
            past.add(relation.name());
          }
        }
        for (String function : references.functions()) {
          objects.macros(function).forEach(this::look);
        }
        if (references.isCalling()) {
          objects.shadows().forEach(this::look);
        }
        if (references.isListing()) {
          objects.all().forEach(named -> named.forEach(this::look));
        }
      }
    }

    /**
     * Views of that name that may be meant: of `a.b` a may be a schema, or a catalog; without one
     * of both it is whatever schema the names are looked up in, and any is looked at.
     */
    private static List<StoredObject> views(StoredObjects objects, Name name) {
      return name.isTemporary() ? List.of() : objects.views(name.last());
    }

    private void look(References references, Optional<String> viewSchema, Grants grants) {
      Optional<String> whole = references.wholeLake();
      if (whole.isPresent()) {
        throw new Refusal(
            "%s: not for a user whose role is narrowed to some tables; tables are listed by the"
                    .formatted(whole.get())
                + " driver's metadata calls");
      }
      for (References.Relation relation : references.relations()) {
        for (String candidate : schemas(relation.name(), viewSchema)) {
          if (!isView(relation.name(), candidate)) {
            require(grants, Privilege.SELECT, candidate, relation.name().last());
          }
        }
      }
      for (References.Target target : references.targets()) {
        for (String candidate : schemas(target.name(), viewSchema)) {
          require(grants, target.privilege(), candidate, target.name().last());
        }
      }
    }

    /**
     * A view is open to whoever may read what it reads. While only the text is known, it may be.
     */
    private boolean isView(Name name, String schema) {
      return stored.isEmpty()
          || stored.stream()
              .flatMap(objects -> objects.views(name.last()).stream())
              .anyMatch(view -> view.name().schema().filter(schema::equals).isPresent());
    }

    /** The schemas that a name may be in. */
    private Set<String> schemas(Name name, Optional<String> viewSchema) {
      var schemas = new LinkedHashSet<String>();
      if (name.isTemporary()) {
        return schemas;
      }
      if (name.parts().size() > 2) {
        schemas.add(name.parts().get(1));
      } else if (name.isQualified()) {
        schemas.add(name.first().equals(Name.LAKE) ? "main" : name.first());
      } else {
        schemas.add(Name.fold(schema));
        viewSchema.ifPresent(schemas::add);
      }
      return schemas;
    }
  }
}
