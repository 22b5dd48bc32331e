package com.lokryn.ducklake.gate;

import com.lokryn.ducklake.gate.Functions.Space;
import com.lokryn.ducklake.gate.Functions.Use;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;

/**
 * Reads a part of a statement by its tokens, where DuckDB gives no parse of it: each name that
 * something in parentheses follows is a function, each name or string where a table may stand is
 * one. A word too much is taken for a name rather than one too few.
 */
final class TokenReader {
  /** After which tables are named. */
  private static final Set<String> BEFORE_TABLES = Set.of("from", "join", "using", "into", "table");

  /** The same, where they are not of a table that was named before. */
  private static final Set<String> PIVOTS =
      Set.of("pivot", "unpivot", "pivot_wider", "pivot_longer", "describe", "show", "summarize");

  /**
   * After which they no longer are. All of them are reserved, so that none is an alias; and none is
   * inside of a condition, as those of CASE are.
   */
  private static final Set<String> AFTER_TABLES =
      Set.of(
          "select",
          "where",
          "having",
          "limit",
          "offset",
          "qualify",
          "window",
          "returning",
          "union",
          "except",
          "intersect");

  /** Between the word and the table. */
  private static final Set<String> BEFORE_TABLE = Set.of("lateral", "only", "if", "exists");

  private static final Set<String> SHOWING = Set.of("show", "describe", "desc", "summarize");

  private static final String VARIANT = "variant";

  /** Types in parentheses come after them. */
  private static final Set<String> TYPES = Set.of("struct", "row", "union", "map");

  /** What comes after the type of a column; where another word does, a column is so called. */
  private static final Set<String> AFTER_TYPE =
      Set.of(
          "not",
          "null",
          "default",
          "collate",
          "unique",
          "primary",
          "check",
          "references",
          "generated",
          "as",
          "using",
          "constraint",
          "array");

  private static final Set<String> BEFORE_COLUMN =
      Set.of("drop", "rename", "to", "exists", "column", "alter", "by");

  /** What is named inside of a pair of parentheses. */
  private static final class Level {
    private boolean tables;

    /** It is a part of a type, or may be. */
    private boolean type;

    /** One of them was joined to another: conditions of joins may stand between them. */
    private boolean joined;

    /** The next name is one of a table. */
    private boolean expected;
  }

  private final Tokens tokens;
  private final References references;
  private final Deque<Level> levels = new ArrayDeque<>();
  private int start;

  private TokenReader(Tokens tokens, References references) {
    this.tokens = tokens;
    this.references = references;
  }

  static void read(Tokens tokens, int from, int to, References references) {
    new TokenReader(tokens, references).read(from, to);
  }

  /** Reads a procedure that is called, and what it is given. */
  static void call(Tokens tokens, Tokens.Named called, References references) {
    var reader = new TokenReader(tokens, references);
    reader.tableFunction(called);
    reader.read(called.end(), tokens.size());
  }

  private void read(int from, int to) {
    tokens.requireCertain();
    levels.push(new Level());
    references.mayCall();
    start = from;
    for (int i = from; i < to; i++) {
      if (tokens.isName(i)) {
        references.word(tokens.text(i));
      }
    }
    int at = from;
    while (at < to) {
      at = step(at);
    }
  }

  private int step(int at) {
    Level level = levels.getFirst();
    if (tokens.isSymbol(at, '(')) {
      var inner = new Level();
      inner.tables = level.expected;
      inner.expected = level.expected;
      inner.type = level.type || TYPES.contains(tokens.word(at - 1));
      level.expected = false;
      levels.push(inner);
      return at + 1;
    }
    // The names of fields may be any words.
    if (tokens.isSymbol(at, '{') || tokens.isSymbol(at, '[')) {
      levels.push(new Level());
      return at + 1;
    }
    if (tokens.isSymbol(at, ')') || tokens.isSymbol(at, '}') || tokens.isSymbol(at, ']')) {
      if (levels.size() > 1) {
        levels.pop();
      }
      return at + 1;
    }
    // FROM alias: table
    boolean isPrefix = tokens.isSymbol(at, ':') && !tokens.isSymbol(at - 1, ':');
    if (tokens.isSymbol(at, ',') || (isPrefix && !tokens.isSymbol(at + 1, ':'))) {
      level.expected = level.tables;
      return at + 1;
    }
    if (tokens.isString(at)) {
      if (level.expected) {
        return table(at, level);
      }
      return at + 1;
    }
    if (tokens.isName(at)) {
      return name(at, level);
    }
    return at + 1;
  }

  private int name(int at, Level level) {
    String word = tokens.isSymbol(at + 1, '.') ? "" : tokens.word(at);
    if (isBeforeTables(at, word, level)) {
      level.tables = true;
      level.expected = true;
      level.joined |= word.equals("join");
      if (SHOWING.contains(word)) {
        shown(at + 1);
      }
      return at + 1;
    }
    // In parentheses after it are columns, or a part of what stands before it.
    if (word.equals("using") || PIVOTS.contains(word)) {
      level.expected = false;
      return at + 1;
    }
    // (a).where names a field.
    if (isAfterTables(at, word, level) && !tokens.isSymbol(at - 1, '.')) {
      level.tables = false;
      level.joined = false;
      level.expected = false;
      return at + 1;
    }
    if (word.equals("as") || word.equals("with")) {
      level.expected = false;
      return at + 1;
    }
    if (level.expected && BEFORE_TABLE.contains(word)) {
      return at + 1;
    }
    requireCastable(at);
    return level.expected ? table(at, level) : value(at);
  }

  /** What is shown is a table, unless it has one of these names, quoted or not. */
  private void shown(int at) {
    switch (tokens.isName(at) ? Name.fold(tokens.text(at)).replace("\"", "") : "") {
      case "databases" -> throw new Refusal("SHOW DATABASES is not for statements of clients");
      case "tables", "all", "schemas", "variables", "__show_tables_expanded" ->
          references.list("SHOW");
      default -> {}
    }
  }

  private boolean isBeforeTables(int at, String word, Level level) {
    boolean isInTables = level.tables && !level.expected;
    return switch (word) {
      case "from" -> !isOfExpression(at);
      case "using" ->
          !(isInTables && tokens.isSymbol(at + 1, '('))
              && !(tokens.isWord(at + 1, "sample") && tokens.isNumber(at + 2));
      case "desc" -> at == start || tokens.isSymbol(at - 1, '(') || tokens.isWord(at - 1, "as");
      default ->
          BEFORE_TABLES.contains(word)
              || (PIVOTS.contains(word) && !(isInTables && tokens.isSymbol(at + 1, '(')));
    };
  }

  /** {@code a IS DISTINCT FROM b}, {@code extract(year FROM d)}. */
  private boolean isOfExpression(int at) {
    boolean isComparison =
        tokens.isWord(at - 1, "distinct")
            && (tokens.isWord(at - 2, "is")
                || (tokens.isWord(at - 2, "not") && tokens.isWord(at - 3, "is")));
    return isComparison
        || (tokens.isName(at - 1)
            && tokens.isSymbol(at - 2, '(')
            && tokens.isWord(at - 3, "extract"));
  }

  private boolean isAfterTables(int at, String word, Level level) {
    return switch (word) {
      case "on" -> !level.joined;
      case "group", "order" -> tokens.isWord(at + 1, "by");
      default -> AFTER_TABLES.contains(word);
    };
  }

  private int table(int at, Level level) {
    level.expected = false;
    Tokens.Named named = tokens.name(at);
    if (tokens.isSymbol(named.end(), '(')) {
      tableFunction(named);
    } else {
      references.relation(named.name(), isOfThePast(named.end()));
    }
    return named.end();
  }

  private boolean isOfThePast(int end) {
    return tokens.isWord(end, "at") && tokens.isSymbol(end + 1, '(');
  }

  private int value(int at) {
    Tokens.Named named = tokens.name(at);
    Name name = named.name();
    if (!tokens.isSymbol(named.end(), '(')) {
      if (name.isQualified()) {
        References.requireNotMetadata(name);
      }
      return named.end();
    }
    if (Functions.use(Space.SCALAR, name.last()).isPresent()) {
      scalar(name);
    } else {
      tableFunction(named);
    }
    return named.end();
  }

  private void scalar(Name name) {
    references.scalar(
        name.last(), name.parts().subList(0, name.parts().size() - 1).toArray(String[]::new));
  }

  private void tableFunction(Tokens.Named named) {
    if (References.isTableFunction(named.name())) {
      references.table(named.name());
    } else {
      scalar(named.name());
    }
    if (Functions.use(Space.TABLE, named.name().last()).filter(Use.FILES::equals).isPresent()) {
      paths(named.end() + 1);
    }
  }

  /** The files that a function reads: a constant, or a list of them. */
  private void paths(int from) {
    int at = tokens.isSymbol(from, '[') ? from + 1 : from;
    boolean isList = at > from;
    do {
      boolean isWhole =
          tokens.isSymbol(at + 1, ',')
              || tokens.isSymbol(at + 1, ')')
              || (isList && tokens.isSymbol(at + 1, ']'));
      if (!tokens.isString(at) || !isWhole) {
        throw new Refusal("files are named by constants: a path, or a list of paths");
      }
      references.file(tokens.text(at));
      at += 2;
    } while (isList && tokens.isSymbol(at - 1, ','));
  }

  /**
   * Deep JSON that becomes a VARIANT ends the process (DuckDB 1.5.5), be it by a cast or where rows
   * are put into a column of that type.
   */
  private void requireCastable(int at) {
    if (!tokens.isName(at) || !Name.fold(tokens.text(at)).equals(VARIANT)) {
      return;
    }
    boolean isCast = tokens.isSymbol(at - 1, ':') && tokens.isSymbol(at - 2, ':');
    boolean isInCast =
        tokens.isWord(at - 1, "as") && (tokens.isSymbol(at + 1, ')') || isArray(at + 1));
    boolean isTyped = tokens.isString(at + 1) || (tokens.isName(at - 1) && isArray(at + 1));
    if (isCast || isInCast || isTyped || levels.getFirst().type) {
      throw variant();
    }
  }

  private boolean isArray(int at) {
    return tokens.isSymbol(at, '[') || tokens.isWord(at, "array");
  }

  /** Refuses that type among those that columns or a type are made of. */
  static void requireTypes(Tokens tokens, int from, int to) {
    for (int i = from; i < to; i++) {
      boolean isNamed = tokens.isName(i + 1) && !AFTER_TYPE.contains(tokens.word(i + 1));
      boolean isChanged = BEFORE_COLUMN.contains(tokens.word(i - 1));
      if (tokens.isName(i) && Name.fold(tokens.text(i)).equals(VARIANT) && !isNamed && !isChanged) {
        throw variant();
      }
    }
  }

  private static Refusal variant() {
    return new Refusal("casts to VARIANT are not for statements of clients, nor is that type");
  }
}
