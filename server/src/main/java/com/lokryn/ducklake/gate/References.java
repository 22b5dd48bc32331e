package com.lokryn.ducklake.gate;

import com.lokryn.ducklake.access.Privilege;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.engine.BoundedFunctions;
import com.lokryn.ducklake.gate.Functions.Space;
import com.lokryn.ducklake.gate.Functions.Use;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a text refers to, gathered while it is read. What nobody may use is refused at once; what
 * depends on who asks is kept, to be compared with that.
 */
final class References {
  private static final String SYSTEM = "system";

  /** What a name in front of another may not be: the engine's own, and the lake's tables. */
  private static final List<String> CLOSED_CATALOGS = List.of("memory", SYSTEM);

  /** Where the functions are that macros of the server's stand before. */
  private static final Set<String> BOUNDLESS = Set.of(SYSTEM, "main", "pg_catalog");

  /** Functions in the place of a table that look at nothing but what they are given. */
  private static final Set<String> STABLE_TABLES = Set.of("range", "generate_series", "unnest");

  private static final String ANY = "*";
  private static final String METADATA = "__ducklake_metadata";

  /** Whose views are the engine's own. */
  private static final Set<String> ENGINE_SCHEMAS = Set.of("information_schema", "pg_catalog");

  private static final List<String> FILE_ENDINGS =
      List.of(
          ".parquet",
          ".csv",
          ".tsv",
          ".json",
          ".jsonl",
          ".ndjson",
          ".geojson",
          ".txt",
          ".gz",
          ".zst",
          ".db",
          ".ddb",
          ".duckdb",
          ".sqlite",
          ".arrow",
          ".ipc",
          ".xlsx");

  /** A table or view that is read. */
  record Relation(Name name, boolean ofThePast) {}

  /** A table, view or schema that is changed. */
  record Target(Name name, Privilege privilege) {}

  private final String exports;
  private final Set<Relation> relations = new LinkedHashSet<>();
  private final Set<String> functions = new LinkedHashSet<>();
  private final Set<Target> targets = new LinkedHashSet<>();
  private final Set<String> words = new LinkedHashSet<>();
  private final Set<String> serverTables = new LinkedHashSet<>();
  private Role role = Role.READER;
  private boolean calling;
  private boolean listing;
  private boolean wasParsed;
  private boolean isVolatile;
  private @Nullable String wholeLake;
  private @Nullable String roleReason;

  /**
   * @param exports below which files may be read and written, with a slash at the end
   */
  References(String exports) {
    this.exports = exports;
  }

  Set<Relation> relations() {
    return relations;
  }

  /** Functions and operators by their last names, since any may be a macro of the lake. */
  Set<String> functions() {
    return functions;
  }

  Set<Target> targets() {
    return targets;
  }

  /** A view of the session's own that has another name now: it goes by both. */
  void renamed(String own) {
    functions.add(own);
  }

  /**
   * A name in a part that was read by its tokens, wherever it stands: what it is the name of is not
   * certain there.
   */
  void word(String name) {
    words.add(Name.fold(name));
  }

  Set<String> words() {
    return words;
  }

  /** DuckDB's parse was read, so that nothing in it was overlooked. */
  void parsed() {
    wasParsed = true;
  }

  /** It may give something else the next time: by the clock, chance, its session, or a file. */
  void mayVary() {
    isVolatile = true;
  }

  /** True when it gives the same whenever the tables, views and macros in it are the same. */
  boolean isStable() {
    return wasParsed && !isVolatile && !listing && wholeLake == null && targets.isEmpty();
  }

  /** A name without others before it that is one of a column, or a word that stands for a call. */
  void column(String name) {
    if (Functions.isVolatileWord(Name.fold(name))) {
      mayVary();
    }
  }

  /** The least role that may do it. */
  Role role() {
    return role;
  }

  /** What that role is needed for. */
  String roleReason() {
    return roleReason == null ? "this statement" : roleReason;
  }

  /** Looks at all views that there are. */
  boolean isListing() {
    return listing;
  }

  /** What in it is for those only whom no grants narrow. */
  Optional<String> wholeLake() {
    return Optional.ofNullable(wholeLake);
  }

  /**
   * Something in it may stand for a function that it does not name, as {@code a[1]} and {@code a +
   * b} do.
   */
  void mayCall() {
    calling = true;
  }

  /** True when it calls a function, named or not. */
  boolean isCalling() {
    return calling || !functions.isEmpty();
  }

  /** True when what is stored in the catalog decides what it does. */
  boolean dependsOnCatalog() {
    return calling || !relations.isEmpty() || !functions.isEmpty() || listing || !targets.isEmpty();
  }

  void require(Role least, String reason) {
    if (!role.includes(least)) {
      role = least;
      roleReason = reason;
    }
  }

  void requireWholeLake(String reason) {
    if (wholeLake == null) {
      wholeLake = reason;
    }
  }

  void list(String reason) {
    listing = true;
    requireWholeLake(reason);
  }

  /** A table or view in a place where it is read. */
  void relation(Name name, boolean ofThePast) {
    if (isFile(name)) {
      // Where there is no such table, DuckDB looks for a file that is called as all its parts are.
      file(name.text());
      return;
    }
    if (name.isOfServer()) {
      serverTable(name, ofThePast);
      return;
    }
    boolean inEngineSchema =
        name.isQualified() && ENGINE_SCHEMAS.contains(name.parts().get(name.parts().size() - 2));
    boolean isOfEngine = inEngineSchema && name.first().equals(SYSTEM);
    if (!isOfEngine) {
      requireOpen(name);
    }
    Optional<Use> view = Functions.use(Space.VIEW, name.last());
    if (inEngineSchema || (view.isPresent() && !name.isQualified())) {
      use(view.orElse(Use.REFUSED), name.text(), "view");
    }
    if (inEngineSchema || view.isPresent()) {
      mayVary();
    }
    if (!inEngineSchema) {
      relations.add(new Relation(name, ofThePast));
    }
  }

  private void serverTable(Name name, boolean ofThePast) {
    if (ofThePast) {
      throw new Refusal("%s has no past: see server.query_log".formatted(name.text()));
    }
    mayVary();
    serverTables.add(name.last());
  }

  /** The server's own tables that it reads, by their names alone. */
  Set<String> serverTables() {
    return serverTables;
  }

  /** Something that is changed. */
  void target(Name name, Privilege privilege) {
    requireOpen(name);
    if (name.isQualified() && name.first().equals(Name.SERVER)) {
      throw new Refusal(
          "the catalog server is read only; what is in a schema of the lake of that name is lake.server.%s"
              .formatted(name.last()));
    }
    targets.add(new Target(name, privilege));
  }

  /**
   * A function of values.
   *
   * @param qualifiers before its name: a catalog, a schema, or the value that it is a method of
   */
  void scalar(String name, String... qualifiers) {
    String folded = Name.fold(name);
    if (BoundedFunctions.NAMES.contains(folded)) {
      for (String qualifier : qualifiers) {
        if (BOUNDLESS.contains(Name.fold(qualifier))) {
          throw new Refusal(
              "the function %s is called by its name alone, not as one of %s"
                  .formatted(folded, qualifier));
        }
      }
    }
    Functions.use(Space.SCALAR, folded).ifPresent(use -> use(use, folded, "function"));
    if (Functions.isVolatile(folded)) {
      mayVary();
    }
    functions.add(folded);
  }

  /**
   * A function in the place of a table.
   *
   * @param name with the catalog and schema before it, if they were given
   */
  void table(Name name) {
    tableUse(name).ifPresent(use -> use(use, name.last(), "function"));
    if (!STABLE_TABLES.contains(name.last())) {
      mayVary();
    }
    functions.add(name.last());
  }

  /** Is it one of the engine's own functions that stand for tables? */
  static boolean isTableFunction(Name name) {
    return tableUse(name).isPresent();
  }

  private static Optional<Use> tableUse(Name name) {
    boolean isMethod = name.isQualified() && name.first().equals(Name.LAKE);
    return (isMethod ? Functions.use(Space.METHOD, name.last()) : Optional.<Use>empty())
        .or(() -> Functions.use(Space.TABLE, name.last()));
  }

  private void use(Use use, String name, String what) {
    switch (use) {
      case FREE, FILES -> {}
      case LISTING -> list(what + " " + name);
      case LAKE -> requireWholeLake(what + " " + name);
      case ADMIN -> {
        require(Role.ADMIN, "the %s %s".formatted(what, name));
        requireWholeLake(what + " " + name);
      }
      case REFUSED ->
          throw new Refusal("the %s %s is not for statements of clients".formatted(what, name));
    }
  }

  /** Catalogs that belong to the engine or to the server. */
  void requireOpen(Name name) {
    for (String part : name.parts().subList(0, name.parts().size() - 1)) {
      requireOpenCatalog(part);
    }
    if (name.parts().size() > 2
        && !name.first().equals(Name.LAKE)
        && !name.first().equals(Name.TEMPORARY)) {
      throw new Refusal(
          "the catalog %s is not open to statements: lake and temp are".formatted(name.first()));
    }
  }

  /** A name that may be one of a table, or of a column of something that is called so. */
  static void requireNotMetadata(Name name) {
    if (name.first().startsWith(METADATA)) {
      requireOpenCatalog(name.first());
    }
  }

  /** A macro that is made or dropped. */
  void macro(Name name) {
    requireOpen(name);
    if (BoundedFunctions.NAMES.contains(name.last())) {
      throw new Refusal("the macro %s is the server's".formatted(name.last()));
    }
  }

  /** A schema that is made or dropped, with all that is in it. */
  void schema(Name name) {
    require(Role.WRITER, "to change the schema " + name.text());
    targets.add(new Target(Name.of(name.last(), ANY), Privilege.ALTER));
  }

  static void requireOpenCatalog(String part) {
    if (CLOSED_CATALOGS.contains(part) || part.startsWith(METADATA)) {
      throw new Refusal(
          "the catalog %s is not open to statements: lake and temp are".formatted(part));
    }
  }

  private static boolean isFile(Name name) {
    String last = name.last();
    if (!name.isQualified()) {
      return last.contains("/") || FILE_ENDINGS.stream().anyMatch(last::endsWith);
    }
    // A file in a directory that begins with the name of a schema can be none of the server's.
    boolean isInDirectory =
        name.parts().subList(0, name.parts().size() - 1).stream()
            .anyMatch(part -> part.matches("(?s).*[/\\\\:].*"));
    return isInDirectory || (last.contains("/") && name.text().contains(".."));
  }

  /** A file that is read or written: one of those that were exported. */
  void file(String path) {
    if (!isExported(path)) {
      throw new Refusal(
          "files are read and written below the exports of the lake only, %s, and this is not: %s"
              .formatted(exports, path));
    }
    requireWholeLake("exported files");
  }

  private boolean isExported(String path) {
    String folded = Name.fold(path);
    String prefix = Name.fold(exports);
    return (folded.startsWith(prefix) || folded.equals(prefix.substring(0, prefix.length() - 1)))
        && !folded.contains("..")
        && !folded.contains("\\")
        // After it S3's addresses may say another endpoint.
        && !folded.contains("?");
  }
}
