package com.lokryn.ducklake.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/**
 * The words of an SQL text by DuckDB's lexical rules: strings ({@code '…'}, {@code E'…'}, {@code
 * $tag$…$tag$}), quoted names, comments (nested ones too). It knows no grammar; it answers what has
 * to be known before the text reaches the engine, above all how many statements it holds, since the
 * driver runs all but the last one while it prepares.
 */
public final class SqlText {
  /** What a token is. */
  private enum TokenKind {
    WORD,
    QUOTED_NAME,
    STRING,
    SYMBOL
  }

  private record Token(TokenKind kind, String text) {
    boolean isName() {
      return kind == TokenKind.WORD || kind == TokenKind.QUOTED_NAME;
    }
  }

  private static final Set<String> STATELESS_VERBS =
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
          "explain",
          "insert",
          "update",
          "delete",
          "merge",
          "create",
          "drop",
          "alter",
          "comment");

  /** A pivot makes a temporary type of its columns; a seed and variables stay in the connection. */
  private static final Set<String> STATEFUL_WORDS =
      Set.of("pivot", "pivot_wider", "setseed", "query", "query_table", "temp", "temporary");

  private final String sql;
  private final List<Token> tokens = new ArrayList<>();
  private int statements;
  private int at;

  private SqlText(String sql) {
    this.sql = sql;
    scan();
  }

  public static SqlText of(String sql) {
    return new SqlText(Objects.requireNonNull(sql));
  }

  /** The text as it was given. */
  public String sql() {
    return sql;
  }

  /** How many statements the text holds; empty ones (a trailing semicolon) do not count. */
  public int statements() {
    return statements;
  }

  /** The first word in lower case, or an empty string. */
  public String verb() {
    return word(0);
  }

  /** The word at a position in lower case, or an empty string when there is none. */
  public String word(int position) {
    return position < tokens.size() && tokens.get(position).kind == TokenKind.WORD
        ? tokens.get(position).text
        : "";
  }

  /** Makes something that lives and dies with its connection. */
  public boolean isTemporaryObject() {
    int next = word(1).equals("or") && word(2).equals("replace") ? 3 : 1;
    return verb().equals("create")
        && (word(next).equals("temp") || word(next).equals("temporary") || namesTemporaryCatalog());
  }

  private boolean namesTemporaryCatalog() {
    for (int i = 1; i + 1 < tokens.size(); i++) {
      if (tokens.get(i).isName()
          && tokens.get(i).text.equalsIgnoreCase("temp")
          && tokens.get(i + 1).text.equals(".")) {
        return true;
      }
    }
    return false;
  }

  /** Begins a transaction by statement. */
  public boolean isBegin() {
    return verb().equals("begin") || (verb().equals("start") && word(1).equals("transaction"));
  }

  /** Ends a transaction by statement. */
  public boolean isEnd() {
    return switch (verb()) {
      case "commit", "rollback", "abort", "end" -> true;
      default -> false;
    };
  }

  /** Changes state that DuckDB keeps in the connection. */
  public boolean isConnectionState() {
    return switch (verb()) {
      case "set", "reset", "prepare", "deallocate" -> true;
      default -> false;
    };
  }

  /**
   * True when the statement leaves nothing behind in its connection, so that another user's may run
   * there. A word that could leave something counts even inside a name or alias.
   */
  public boolean leavesNoState() {
    return STATELESS_VERBS.contains(verb())
        && !isTemporaryObject()
        && tokens.stream()
            .noneMatch(token -> STATEFUL_WORDS.contains(token.text.toLowerCase(Locale.ROOT)));
  }

  /** Changes where names are looked up. */
  public boolean isUse() {
    return verb().equals("use");
  }

  private void scan() {
    boolean open = false;
    while (at < sql.length()) {
      char c = sql.charAt(at);
      if (isSpace(c)) {
        at++;
      } else if (sql.startsWith("--", at)) {
        skipLine();
      } else if (sql.startsWith("/*", at)) {
        skipComment();
      } else if (c == ';') {
        at++;
        open = false;
      } else {
        if (!open) {
          open = true;
          statements++;
        }
        token(c);
      }
    }
  }

  private void token(char c) {
    if (c == '\'') {
      add(TokenKind.STRING, quoted('\'', false));
    } else if (c == '"') {
      add(TokenKind.QUOTED_NAME, quoted('"', false));
    } else if ((c == 'e' || c == 'E') && at + 1 < sql.length() && sql.charAt(at + 1) == '\'') {
      at++;
      add(TokenKind.STRING, quoted('\'', true));
    } else if (c == '$' && dollarTag() >= 0) {
      add(TokenKind.STRING, dollarQuoted());
    } else if (isWordStart(c)) {
      int from = at;
      while (at < sql.length() && isWordPart(sql.charAt(at))) {
        at++;
      }
      add(TokenKind.WORD, sql.substring(from, at).toLowerCase(Locale.ROOT));
    } else if (Character.isDigit(c)) {
      int from = at;
      // Digits only: what letters follow begin a name of their own, as DuckDB reads them, so that
      // a dollar inside of it opens no string. Which of them belong to the number does not matter.
      while (at < sql.length() && Character.isDigit(sql.charAt(at))) {
        at++;
      }
      add(TokenKind.SYMBOL, sql.substring(from, at));
    } else {
      at++;
      add(TokenKind.SYMBOL, String.valueOf(c));
    }
  }

  private void add(TokenKind kind, String text) {
    tokens.add(new Token(kind, text));
  }

  /** The content of a quoted token; an unclosed one reaches to the end and fails in the parser. */
  private String quoted(char quote, boolean backslashes) {
    StringBuilder content = new StringBuilder();
    at++;
    while (at < sql.length()) {
      char c = sql.charAt(at++);
      if (backslashes && c == '\\' && at < sql.length()) {
        content.append(c).append(sql.charAt(at++));
      } else if (c != quote) {
        content.append(c);
      } else if (at < sql.length() && sql.charAt(at) == quote) {
        content.append(c);
        at++;
      } else {
        return content.toString();
      }
    }
    return content.toString();
  }

  /** The position behind the opening {@code $tag$}, or -1 where none begins ({@code $1}). */
  private int dollarTag() {
    int end = at + 1;
    while (end < sql.length() && isWordPart(sql.charAt(end)) && sql.charAt(end) != '$') {
      end++;
    }
    boolean closed = end < sql.length() && sql.charAt(end) == '$';
    boolean named = end == at + 1 || isWordStart(sql.charAt(at + 1));
    return closed && named ? end + 1 : -1;
  }

  private String dollarQuoted() {
    int from = dollarTag();
    String tag = sql.substring(at, from);
    int end = sql.indexOf(tag, from);
    at = end < 0 ? sql.length() : end + tag.length();
    return sql.substring(from, end < 0 ? sql.length() : end);
  }

  private void skipLine() {
    while (at < sql.length() && sql.charAt(at) != '\n' && sql.charAt(at) != '\r') {
      at++;
    }
  }

  private void skipComment() {
    int depth = 0;
    do {
      if (sql.startsWith("/*", at)) {
        depth++;
        at += 2;
      } else if (sql.startsWith("*/", at)) {
        depth--;
        at += 2;
      } else {
        at++;
      }
    } while (depth > 0 && at < sql.length());
  }

  private static boolean isSpace(char c) {
    // DuckDB takes the zero-width ones, among them the byte order mark, for spaces too.
    return c <= ' ' || Character.isSpaceChar(c) || c == '\uFEFF' || (c >= 0x200B && c <= 0x200D);
  }

  private static boolean isWordStart(char c) {
    return c == '_' || Character.isLetter(c) || c >= 0x80;
  }

  private static boolean isWordPart(char c) {
    return isWordStart(c) || Character.isDigit(c) || c == '$';
  }
}
