package com.lokryn.ducklake.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Cuts an SQL text into its tokens by DuckDB's lexical rules: strings ({@code '…'}, {@code E'…'},
 * {@code $tag$…$tag$}), quoted names, comments (nested ones too).
 */
public final class SqlLexer {
  /** What a token is. */
  public enum Kind {
    WORD,
    QUOTED_NAME,
    STRING,
    NUMBER,
    /** One character that is none of the others. */
    SYMBOL
  }

  /**
   * A token of a text.
   *
   * @param from where it begins, without the quotes of a string or a quoted name
   * @param to where it ends, likewise
   * @param start where it begins with all that belongs to it
   */
  public record Token(Kind kind, int from, int to, int start) {
    int length() {
      return to - from;
    }
  }

  private final String sql;
  private int at;

  public SqlLexer(String sql) {
    this.sql = sql;
  }

  /** All tokens of a text. */
  public static List<Token> all(String sql) {
    var lexer = new SqlLexer(sql);
    var tokens = new ArrayList<Token>();
    for (Token token = lexer.next(); token != null; token = lexer.next()) {
      tokens.add(token);
    }
    return tokens;
  }

  /** The next token, or null at the end of the text. */
  public @Nullable Token next() {
    while (at < sql.length()) {
      char c = sql.charAt(at);
      if (isSpace(c)) {
        at++;
      } else if (sql.startsWith("--", at)) {
        skipLine();
      } else if (sql.startsWith("/*", at)) {
        skipComment();
      } else {
        return token(c);
      }
    }
    return null;
  }

  private Token token(char c) {
    int start = at;
    if (c == '\'') {
      return quoted(Kind.STRING, '\'', false, start);
    }
    if (c == '"') {
      return quoted(Kind.QUOTED_NAME, '"', false, start);
    }
    if ((c == 'e' || c == 'E') && isAt(at + 1, '\'')) {
      at++;
      return quoted(Kind.STRING, '\'', true, start);
    }
    boolean isUnicode = (c == 'u' || c == 'U') && isAt(at + 1, '&');
    if (isUnicode && (isAt(at + 2, '\'') || isAt(at + 2, '"'))) {
      at += 2;
      char quote = sql.charAt(at);
      return quoted(quote == '"' ? Kind.QUOTED_NAME : Kind.STRING, quote, false, start);
    }
    if (c == '$' && dollarTag() >= 0) {
      return dollarQuoted(start);
    }
    if (isWordStart(c)) {
      while (at < sql.length() && isWordPart(sql.charAt(at))) {
        at++;
      }
      return new Token(Kind.WORD, start, at, start);
    }
    if (Character.isDigit(c)) {
      // Digits only: what letters follow begin a name of their own, as DuckDB reads them, so that
      // a dollar inside of it opens no string. Which of them belong to the number does not matter.
      while (at < sql.length() && Character.isDigit(sql.charAt(at))) {
        at++;
      }
      return new Token(Kind.NUMBER, start, at, start);
    }
    at++;
    return new Token(Kind.SYMBOL, start, at, start);
  }

  /** An unclosed one reaches to the end and fails in the parser. */
  private Token quoted(Kind kind, char quote, boolean backslashes, int start) {
    int from = ++at;
    while (at < sql.length()) {
      char c = sql.charAt(at++);
      if (backslashes && c == '\\' && at < sql.length()) {
        at++;
      } else if (c == quote && at < sql.length() && sql.charAt(at) == quote) {
        at++;
      } else if (c == quote && !(kind == Kind.STRING && goesOn())) {
        return new Token(kind, from, at - 1, start);
      }
    }
    return new Token(kind, from, at, start);
  }

  private boolean isAt(int position, char wanted) {
    return position < sql.length() && sql.charAt(position) == wanted;
  }

  /** After a string on another line comes its next part, by the same rules of backslashes. */
  private boolean goesOn() {
    int closed = at;
    boolean lines = false;
    while (at < sql.length()) {
      char c = sql.charAt(at);
      if (isSpace(c)) {
        lines |= c == '\n' || c == '\r';
        at++;
      } else if (sql.startsWith("--", at)) {
        skipLine();
      } else {
        break;
      }
    }
    if (lines && isAt(at, '\'')) {
      at++;
      return true;
    }
    at = closed;
    return false;
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

  private Token dollarQuoted(int start) {
    int from = dollarTag();
    String tag = sql.substring(at, from);
    int end = sql.indexOf(tag, from);
    at = end < 0 ? sql.length() : end + tag.length();
    return new Token(Kind.STRING, from, end < 0 ? sql.length() : end, start);
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

  /** True when {@link #text} is what the token says: it has no escapes, and only one part. */
  public static boolean isPlain(String sql, Token token) {
    char first = sql.charAt(token.start);
    return switch (token.kind) {
      case QUOTED_NAME -> first == '"';
      case STRING ->
          first == '$' || (first == '\'' && text(sql, token).length() == lengthOfPart(sql, token));
      case WORD, NUMBER, SYMBOL -> true;
    };
  }

  /** The length of a string without doubled quotes, if it has no other ones. */
  private static int lengthOfPart(String sql, Token token) {
    int length = 0;
    for (int i = token.from; i < token.to; i++, length++) {
      if (sql.charAt(i) == '\'' && !(++i < token.to && sql.charAt(i) == '\'')) {
        return -1;
      }
    }
    return length;
  }

  /** What a name or string says, its doubled quotes made single ones, in lower case. */
  public static String lowerText(String sql, Token token) {
    return fold(text(sql, token));
  }

  /** What a token says, without its quotes. */
  public static String text(String sql, Token token) {
    String text = sql.substring(token.from, token.to);
    return switch (token.kind) {
      case QUOTED_NAME -> text.replace("\"\"", "\"");
      case STRING -> sql.charAt(token.start) == '\'' ? text.replace("''", "'") : text;
      case WORD, NUMBER, SYMBOL -> text;
    };
  }

  /** In lower case as DuckDB compares names: letters beyond ASCII stay what they are. */
  public static String fold(String text) {
    boolean isAscii = text.chars().allMatch(c -> c < 0x80);
    if (isAscii) {
      return text.toLowerCase(Locale.ROOT);
    }
    var folded = new StringBuilder(text);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      folded.setCharAt(i, c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c);
    }
    return folded.toString();
  }

  /**
   * True when it may be a space or a part of a name, as DuckDB sees it: which of them, depends on
   * quotes and dollars in comments and escapes before it, of which it makes something else.
   */
  public static boolean isUncertain(String sql, List<Token> tokens) {
    if (sql.chars().noneMatch(c -> isWideSpace((char) c))
        || (sql.indexOf('\\') < 0 && sql.indexOf('$') < 0 && !sql.contains("/*"))) {
      return false;
    }
    int from = 0;
    for (Token token : tokens) {
      if (sql.substring(from, token.start).chars().anyMatch(c -> isWideSpace((char) c))) {
        return true;
      }
      from = token.to;
    }
    return sql.substring(from).chars().anyMatch(c -> isWideSpace((char) c));
  }

  static boolean isSpace(char c) {
    return c <= ' ' || isWideSpace(c);
  }

  /** What DuckDB makes a space of before it reads, inside of words too; zero-width ones as well. */
  static boolean isWideSpace(char c) {
    return c == 0xA0
        || (c >= 0x2000 && c <= 0x200B)
        || c == 0x202F
        || c == 0x205F
        || c == 0x2060
        || c == 0x3000
        || c == 0xFEFF;
  }

  private static boolean isWordStart(char c) {
    return c == '_' || Character.isLetter(c) || (c >= 0x80 && !isWideSpace(c));
  }

  private static boolean isWordPart(char c) {
    return isWordStart(c) || Character.isDigit(c) || c == '$';
  }
}
