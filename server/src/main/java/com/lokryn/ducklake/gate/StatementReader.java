package com.lokryn.ducklake.gate;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.lokryn.ducklake.access.Privilege;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.SessionSettings;
import com.lokryn.ducklake.engine.StatementCounter;
import com.lokryn.ducklake.engine.StatementParser;
import com.lokryn.ducklake.gate.Statement.Kind;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Reads a single statement: by its first words what it is, its queries by DuckDB's own parse, and
 * the rest by its tokens.
 */
final class StatementReader {
  /** Of a parse: nested as deeply as DuckDB's parser lets it be, and as long as a text may be. */
  private static final ObjectMapper MAPPER =
      new ObjectMapper(
          JsonFactory.builder()
              .streamReadConstraints(
                  StreamReadConstraints.builder()
                      .maxNestingDepth(1_000_000)
                      .maxStringLength(Integer.MAX_VALUE)
                      .maxNumberLength(1_000_000)
                      .build())
              .build());

  /** What the parse of another statement than a query ends with. */
  private static final String NO_QUERY = "not implemented";

  private static final Set<String> QUERY_WORDS =
      Set.of(
          "select",
          "with",
          "from",
          "values",
          "table",
          "show",
          "describe",
          "desc",
          "summarize",
          "pivot",
          "unpivot",
          "pivot_wider",
          "pivot_longer");

  /** Of what a lake has, and of what a session may have for itself. */
  private static final Set<String> OBJECTS =
      Set.of("table", "view", "schema", "macro", "function", "sequence", "type", "index");

  private static final Set<String> SHOWING_PRAGMAS =
      Set.of("version", "platform", "collations", "functions");

  /** Rows in a text that are not parsed: a parse takes a hundred times the memory of its text. */
  private static final int LONGEST_ROWS = 256 << 10;

  private static final String EXPORTS = "exports";

  private final Tokens tokens;
  private final References references;

  private StatementReader(Tokens tokens, References references) {
    this.tokens = tokens;
    this.references = references;
  }

  /**
   * @param exports below which files may be read and written
   * @throws EngineException when it is no SQL
   */
  static Statement read(String sql, String exports) throws EngineException {
    try {
      return new StatementReader(new Tokens(sql), new References(exports)).statement(0, false);
    } catch (Refusal e) {
      // What is no SQL cannot be read here: then DuckDB's own words say what is wrong.
      Optional<String> error = StatementCounter.syntaxError(sql);
      if (error.isPresent()) {
        throw new EngineException(EngineError.SYNTAX, error.get());
      }
      throw e;
    }
  }

  /**
   * What a view or a macro does, as the catalog has it.
   *
   * @param body a query, or the expression of a macro
   */
  static References stored(String body, boolean isExpression, String exports)
      throws EngineException {
    var references = new References(exports);
    String sql = isExpression ? "SELECT " + body : body;
    var tokens = new Tokens(sql);
    new StatementReader(tokens, references).query(0, tokens.size(), false);
    return references;
  }

  /** The query in the text of a view. */
  static String queryOfView(String sql) {
    var tokens = new Tokens(sql);
    int as = tokens.find(0, "as");
    return tokens.between(as + 1, tokens.size());
  }

  private Statement statement(int at, boolean isNested) throws EngineException {
    String verb = tokens.word(at);
    if (QUERY_WORDS.contains(verb) || tokens.isSymbol(at, '(')) {
      return reading(at);
    }
    tokens.requireCertain();
    switch (verb) {
      case "insert", "update", "delete", "merge", "truncate" -> {
        change(at);
        return of(Kind.WRITE);
      }
      case "create" -> {
        return create(at);
      }
      case "drop", "alter", "comment" -> {
        return alter(at);
      }
      case "copy" -> {
        copy(at);
        return of(Kind.WRITE);
      }
      case "analyze" -> {
        TokenReader.read(tokens, at, tokens.size(), references);
        return of(Kind.READ);
      }
      case "explain" -> {
        return explain(at);
      }
      case "call" -> {
        call(at);
        return of(Kind.CALL);
      }
      case "checkpoint", "vacuum" -> {
        references.require(Role.ADMIN, upper(verb));
        TokenReader.read(tokens, at, tokens.size(), references);
        return of(Kind.CALL);
      }
      default -> {}
    }
    if (!isNested) {
      switch (verb) {
        case "begin", "start", "commit", "end", "rollback", "abort" -> {
          return of(Kind.TRANSACTION);
        }
        case "use" -> {
          Name name = tokens.name(at + 1).name();
          name.parts().forEach(References::requireOpenCatalog);
          if (name.first().equals(Name.SERVER)) {
            throw new Refusal(
                "names are looked up in the lake: say server.queries for what is in the catalog server");
          }
          return of(Kind.SESSION);
        }
        case "set", "reset" -> {
          set(at);
          return of(Kind.SESSION);
        }
        case "pragma" -> {
          pragma(at);
          return of(Kind.READ);
        }
        case "prepare" -> {
          return prepare(at);
        }
        case "execute" -> {
          TokenReader.read(tokens, at + 2, tokens.size(), references);
          return named(Kind.EXECUTE, tokens.text(at + 1));
        }
        case "kill" -> {
          return kill(at);
        }
        case "deallocate" -> {
          int name = tokens.isWord(at + 1, "prepare") ? at + 2 : at + 1;
          return named(Kind.DEALLOCATE, tokens.text(name));
        }
        default -> {}
      }
    }
    throw closed(verb.isEmpty() ? "a statement that begins so" : upper(verb));
  }

  private Statement kill(int verb) throws EngineException {
    boolean isQuery = tokens.isWord(verb + 1, "query");
    if ((!isQuery && !tokens.isWord(verb + 1, "session"))
        || !tokens.isString(verb + 2)
        || tokens.size() > verb + 3) {
      throw new EngineException(
          EngineError.SYNTAX,
          "Parser Error: what is ended is said by its id in quotes, KILL QUERY '…' or KILL SESSION '…'");
    }
    return new Statement(
        isQuery ? Kind.KILL_QUERY : Kind.KILL_SESSION,
        Optional.of(tokens.text(verb + 2)),
        references);
  }

  private Statement of(Kind kind) {
    return new Statement(kind, Optional.empty(), references);
  }

  private Statement named(Kind kind, String name) {
    return new Statement(kind, Optional.of(Name.fold(name)), references);
  }

  private static Refusal closed(String what) {
    return new Refusal(
        "%s is not for statements of clients: catalogs, files, extensions, secrets and settings are"
                .formatted(what)
            + " the server's");
  }

  private Statement reading(int at) throws EngineException {
    int end = tokens.size();
    if (query(at, end, true)) {
      return of(Kind.READ);
    }
    // A pivot, or a change with common table expressions before it.
    int verb =
        tokens.isWord(at, "with") ? tokens.find(at, "insert", "update", "delete", "merge") : end;
    if (verb < end) {
      TokenReader.read(tokens, at, verb, references);
      change(verb);
      return of(Kind.WRITE);
    }
    TokenReader.read(tokens, at, end, references);
    return of(Kind.READ);
  }

  /**
   * Reads a query.
   *
   * @param isWhole there is nothing else: what is no SQL is refused at once
   * @return false when it has to be read by its tokens
   */
  private boolean query(int from, int to, boolean isWhole) throws EngineException {
    String sql = tokens.between(from, to);
    if (!isWhole && sql.length() > LONGEST_ROWS && tokens.isWord(from, "values")) {
      TokenReader.read(tokens, from, to, references);
      return false;
    }
    JsonNode parse = parse(sql);
    if (!parse.path("error").asBoolean()) {
      SelectReader.read(parse.path("statements"), references);
      return true;
    }
    if (isWhole && !parse.path("error_type").asText().equals(NO_QUERY)) {
      throw syntax(sql, parse);
    }
    if (!isWhole) {
      TokenReader.read(tokens, from, to, references);
    }
    return false;
  }

  private static EngineException syntax(String sql, JsonNode parse) throws EngineException {
    Optional<String> error = StatementCounter.syntaxError(sql);
    return new EngineException(
        EngineError.SYNTAX,
        error.orElseGet(() -> "Parser Error: " + parse.path("error_message").asText()));
  }

  /** DuckDB's parse of a text, as {@link StatementParser#json} has it. */
  static JsonNode parse(String sql) throws EngineException {
    try {
      return MAPPER.readTree(StatementParser.json(sql));
    } catch (EngineException e) {
      if (e.error() != EngineError.OUT_OF_MEMORY) {
        throw e;
      }
      // A text of megabytes: it is read by its tokens, as what has no parse is.
      return MAPPER
          .createObjectNode()
          .put("error", true)
          .put("error_type", NO_QUERY)
          .put("error_message", e.text());
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("DuckDB's parse is no JSON", e);
    }
  }

  /** Reads what is either a query or has one at its end. */
  private void rest(int from) throws EngineException {
    query(from, tokens.size(), false);
  }

  private void change(int verb) throws EngineException {
    int at = verb + 1;
    Privilege privilege;
    switch (tokens.word(verb)) {
      case "insert" -> {
        if (tokens.isWord(at, "or")) {
          at += 2;
        }
        at += tokens.isWord(at, "into") ? 1 : 0;
        privilege = Privilege.INSERT;
      }
      case "delete" -> {
        at += tokens.isWord(at, "from") ? 1 : 0;
        privilege = Privilege.DELETE;
      }
      case "update" -> {
        if (tokens.isWord(at, "extensions") && !tokens.isWord(at + 1, "set")) {
          throw closed("UPDATE EXTENSIONS");
        }
        privilege = Privilege.UPDATE;
      }
      case "merge" -> {
        at += tokens.isWord(at, "into") ? 1 : 0;
        privilege = Privilege.INSERT;
      }
      default -> {
        at += tokens.isWord(at, "table") ? 1 : 0;
        privilege = Privilege.DELETE;
      }
    }
    Tokens.Named target = target(at);
    change(target.name(), privilege);
    if (tokens.isWord(verb, "merge")) {
      change(target.name(), Privilege.UPDATE);
      change(target.name(), Privilege.DELETE);
    }
    if (privilege != Privilege.INSERT || tokens.isWord(verb, "merge")) {
      TokenReader.read(tokens, target.end(), tokens.size(), references);
      return;
    }
    int query = target.end();
    if (tokens.isWord(query, "as")) {
      query += 2;
    }
    if (tokens.isSymbol(query, '(') && !QUERY_WORDS.contains(tokens.word(query + 1))) {
      query = tokens.behindParentheses(query);
    }
    if (tokens.isWord(query, "by")) {
      query += 2;
    }
    rest(query);
  }

  /** DuckDB takes {@code ONLY t} for t. */
  private Tokens.Named target(int at) {
    if (tokens.isWord(at, "only")) {
      throw new Refusal("ONLY is not for statements of clients: tables have no heirs");
    }
    return tokens.name(at);
  }

  /** What is changed may be of the session's own, where its name does not say that it is not. */
  private void change(Name name, Privilege privilege) {
    references.target(name, privilege);
    if (name.isQualified() && !name.isTemporary()) {
      references.require(Role.WRITER, "to change " + name.text());
    }
  }

  private Statement create(int verb) throws EngineException {
    int at = verb + 1;
    if (tokens.isWord(at, "or")) {
      at += 2;
    }
    boolean isTemporary = tokens.isWord(at, "temp") || tokens.isWord(at, "temporary");
    at += isTemporary ? 1 : 0;
    at += tokens.isWord(at, "unique") || tokens.isWord(at, "recursive") ? 1 : 0;
    String object = tokens.word(at);
    if (!OBJECTS.contains(object)) {
      throw closed("CREATE " + upper(object));
    }
    at++;
    if (tokens.isWord(at, "if") && tokens.isWord(at + 1, "not")) {
      at += 3;
    }
    if (object.equals("index")) {
      int on = tokens.find(at, "on");
      at = on + 1;
    }
    Tokens.Named created = tokens.name(at);
    Name name = created.name();
    boolean isOwn = isTemporary || name.isTemporary();
    switch (object) {
      case "schema" -> schema(name);
      case "macro", "function" -> {
        references.macro(name);
        if (!isOwn) {
          references.requireWholeLake("a macro that all can use");
        }
      }
      default -> {
        if (!isOwn) {
          references.target(name, Privilege.ALTER);
        } else {
          references.requireOpen(name);
        }
      }
    }
    if (!isOwn) {
      references.require(Role.WRITER, "to create what is not temporary");
    }
    int as = tokens.find(created.end(), "as");
    if (object.equals("table") || object.equals("type")) {
      boolean isOfQuery = object.equals("table") && as < tokens.size();
      TokenReader.requireTypes(tokens, created.end(), isOfQuery ? as : tokens.size());
    }
    boolean hasQuery = (object.equals("table") || object.equals("view")) && as < tokens.size();
    TokenReader.read(tokens, created.end(), hasQuery ? as : tokens.size(), references);
    if (hasQuery) {
      rest(as + 1);
    }
    if (!object.equals("table") && !references.serverTables().isEmpty()) {
      throw new Refusal(
          "views and macros cannot have tables of the catalog server in them: each statement gets its own");
    }
    // Looked at again when it is used: what it refers to may be another thing by then.
    boolean isLookedThrough = isOwn && !object.equals("table");
    return isLookedThrough ? named(Kind.WRITE, name.last()) : of(Kind.WRITE);
  }

  /** DuckLake keeps the files of a schema in a directory of its name. */
  private void schema(Name name) {
    if (name.last().equals(EXPORTS)) {
      throw new Refusal("a schema cannot be called exports: exported files are kept there");
    }
    if (name.last().equals(Name.SERVER)) {
      throw new Refusal("a schema cannot be called server: there is a catalog of that name");
    }
    name.parts().forEach(References::requireOpenCatalog);
    references.schema(name);
  }

  private static String upper(String word) {
    return word.toUpperCase(Locale.ROOT);
  }

  private Statement alter(int verb) throws EngineException {
    int at = verb + 1;
    boolean isComment = tokens.isWord(verb, "comment");
    if (isComment && tokens.isWord(at, "on")) {
      at++;
    }
    String object = tokens.word(at);
    if (!OBJECTS.contains(object) && !(isComment && object.equals("column"))) {
      throw closed(upper(tokens.word(verb)) + " " + upper(object));
    }
    at++;
    if (tokens.isWord(at, "table") && object.equals("macro")) {
      at++;
    }
    if (tokens.isWord(at, "if") && tokens.isWord(at + 1, "exists")) {
      at += 2;
    }
    if (tokens.isWord(verb, "alter")) {
      TokenReader.requireTypes(tokens, target(at).end(), tokens.size());
    }
    Optional<String> renamed = renamedView(verb, object, at);
    boolean isMore;
    do {
      Tokens.Named named = target(at);
      Name name = named.name();
      if (object.equals("column") && name.isQualified()) {
        name = new Name(name.parts().subList(0, name.parts().size() - 1));
      }
      switch (object) {
        case "schema" -> schema(name);
        case "macro", "function" -> {
          references.macro(name);
          if (!name.isTemporary()) {
            references.requireWholeLake("a macro that all can use");
          }
        }
        default -> change(name, Privilege.ALTER);
      }
      at = named.end() + 1;
      isMore = tokens.isSymbol(named.end(), ',') && tokens.isWord(verb, "drop");
    } while (isMore);
    TokenReader.read(tokens, at - 1, tokens.size(), references);
    return renamed.isPresent() ? named(Kind.WRITE, renamed.get()) : of(Kind.WRITE);
  }

  /** The new name of a view that may be the session's own: what it reads has to be looked at. */
  private Optional<String> renamedView(int verb, String object, int at) {
    Tokens.Named view = target(at);
    boolean isOfLake = view.name().isQualified() && view.name().first().equals(Name.LAKE);
    int rename = view.end();
    if (!tokens.isWord(verb, "alter")
        || isOfLake
        || !List.of("view", "table").contains(object)
        || !tokens.isWord(rename, "rename")
        || !tokens.isWord(rename + 1, "to")) {
      return Optional.empty();
    }
    references.renamed(view.name().last());
    return Optional.of(tokens.text(rename + 2));
  }

  private void copy(int verb) throws EngineException {
    int at = verb + 1;
    references.require(Role.WRITER, "to copy to and from files");
    references.requireWholeLake("COPY");
    int direction;
    if (tokens.isSymbol(at, '(')) {
      direction = tokens.behindParentheses(at);
      query(at + 1, direction - 1, false);
    } else {
      if (tokens.isWord(at, "from")) {
        throw new Refusal("COPY FROM DATABASE is not for statements of clients");
      }
      Tokens.Named table = tokens.name(at);
      direction = table.end();
      if (tokens.isSymbol(direction, '(')) {
        direction = tokens.behindParentheses(direction);
      }
      if (tokens.isWord(direction, "from")) {
        change(table.name(), Privilege.INSERT);
      } else {
        references.relation(table.name(), false);
      }
    }
    int path = direction + 1;
    boolean isDirected = tokens.isWord(direction, "to") || tokens.isWord(direction, "from");
    if (!isDirected || !tokens.isString(path) || isJoined(path + 1)) {
      throw new Refusal("COPY takes TO or FROM with the path of a file as a constant");
    }
    references.file(tokens.text(path));
    TokenReader.read(tokens, path + 1, tokens.size(), references);
  }

  /** True where a string goes on: an operator makes another value of it. */
  private boolean isJoined(int at) {
    return at < tokens.size() && !tokens.isSymbol(at, '(') && tokens.word(at).isEmpty();
  }

  private Statement explain(int verb) throws EngineException {
    int at = verb + 1;
    at += tokens.isWord(at, "analyze") || tokens.isWord(at, "analyse") ? 1 : 0;
    if (tokens.isSymbol(at, '(') && !QUERY_WORDS.contains(tokens.word(at + 1))) {
      at = tokens.behindParentheses(at);
    }
    return statement(at, true);
  }

  private void call(int verb) {
    Tokens.Named called = tokens.name(verb + 1);
    TokenReader.call(tokens, called, references);
  }

  private void set(int verb) {
    int at = verb + 1;
    if (List.of("session", "local").contains(tokens.word(at)) && tokens.isName(at + 1)) {
      at++;
    }
    if (tokens.isWord(at, "variable")) {
      TokenReader.read(tokens, at + 2, tokens.size(), references);
      return;
    }
    if (tokens.isWord(at, "global")) {
      throw closed(upper(tokens.word(verb)) + " GLOBAL");
    }
    String name = Name.fold(tokens.text(at));
    if (!SessionSettings.isAllowed(name)) {
      throw new Refusal(
          "the setting %s is the server's; a session has: %s. Where names are looked up is changed"
                  .formatted(name, String.join(", ", SessionSettings.NAMES))
              + " by USE");
    }
    TokenReader.read(tokens, at + 1, tokens.size(), references);
  }

  private void pragma(int verb) {
    String name = Name.fold(tokens.text(verb + 1));
    int next = verb + 2;
    if (SessionSettings.isAllowed(name) || SHOWING_PRAGMAS.contains(name)) {
      TokenReader.read(tokens, next, tokens.size(), references);
      return;
    }
    switch (name) {
      case "table_info", "show", "storage_info" -> {
        boolean isConstant =
            tokens.isSymbol(next, '(')
                && (tokens.isString(next + 1) || tokens.isName(next + 1))
                && tokens.isSymbol(tokens.name(next + 1).end(), ')');
        if (name.equals("storage_info") || !isConstant) {
          throw new Refusal("PRAGMA %s is not for statements of clients".formatted(name));
        }
        // The text is a name as it is written.
        references.relation(new Tokens(tokens.text(next + 1)).name(0).name(), false);
        references.list("PRAGMA " + name);
      }
      case "show_tables", "show_tables_expanded" -> references.list("PRAGMA " + name);
      default -> throw new Refusal("PRAGMA %s is not for statements of clients".formatted(name));
    }
  }

  private Statement prepare(int verb) throws EngineException {
    int as = tokens.find(verb, "as");
    Statement inner = statement(as + 1, true);
    return new Statement(
        Kind.PREPARE, Optional.of(Name.fold(tokens.text(verb + 1))), inner.references());
  }
}
