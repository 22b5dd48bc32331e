package com.lokryn.ducklake.gate;

import com.lokryn.ducklake.engine.SqlLexer;
import com.lokryn.ducklake.engine.SqlLexer.Kind;
import com.lokryn.ducklake.engine.SqlLexer.Token;
import java.util.ArrayList;
import java.util.List;

/** The tokens of a text, and what stands at a position. Positions outside of it hold nothing. */
final class Tokens {
  /**
   * A name with what is before it.
   *
   * @param end the position behind it
   */
  record Named(Name name, int end) {}

  private final String sql;
  private final List<Token> all;

  Tokens(String sql) {
    this.sql = sql;
    List<Token> found = SqlLexer.all(sql);
    int size = found.size();
    while (size > 0 && isSemicolon(found.get(size - 1))) {
      size--;
    }
    this.all = List.copyOf(found.subList(0, size));
  }

  /**
   * @throws Refusal where DuckDB may see other tokens
   */
  void requireCertain() {
    if (SqlLexer.isUncertain(sql, all)) {
      throw new Refusal("spaces other than the plain one are between the words: write plain ones");
    }
  }

  private boolean isSemicolon(Token token) {
    return token.kind() == Kind.SYMBOL && sql.charAt(token.from()) == ';';
  }

  int size() {
    return all.size();
  }

  private boolean is(int at, Kind kind) {
    return at >= 0 && at < all.size() && all.get(at).kind() == kind;
  }

  /** The word at a position in lower case; empty where there is none, or a quoted one. */
  String word(int at) {
    return is(at, Kind.WORD) ? SqlLexer.lowerText(sql, all.get(at)) : "";
  }

  boolean isWord(int at, String word) {
    return word(at).equals(word);
  }

  boolean isSymbol(int at, char symbol) {
    return is(at, Kind.SYMBOL) && sql.charAt(all.get(at).from()) == symbol;
  }

  boolean isString(int at) {
    return is(at, Kind.STRING);
  }

  boolean isNumber(int at) {
    return is(at, Kind.NUMBER);
  }

  boolean isName(int at) {
    return is(at, Kind.WORD) || is(at, Kind.QUOTED_NAME);
  }

  /** What the token says, without its quotes. */
  String text(int at) {
    if (at < 0 || at >= all.size()) {
      return "";
    }
    Token token = all.get(at);
    if (!SqlLexer.isPlain(sql, token)) {
      throw new Refusal(
          "a name or path is written with escapes, or in parts: write it as one plain string");
    }
    return SqlLexer.text(sql, token);
  }

  /** The text from one position to before another. */
  String between(int from, int to) {
    int start = from < all.size() ? all.get(from).start() : sql.length();
    int end = to < all.size() ? all.get(to).start() : sql.length();
    return sql.substring(start, Math.max(start, end));
  }

  /**
   * The name that begins at a position.
   *
   * @throws Refusal where there is none
   */
  Named name(int at) {
    if (!isName(at) && !isString(at)) {
      throw new Refusal("a name is missing, or is written in a way that is not known here");
    }
    var parts = new ArrayList<String>();
    parts.add(text(at));
    int end = at + 1;
    while (isSymbol(end, '.') && (isName(end + 1) || isString(end + 1))) {
      parts.add(text(end + 1));
      end += 2;
    }
    return new Named(new Name(parts), end);
  }

  /** The position behind the parenthesis that closes the one at a position. */
  int behindParentheses(int at) {
    int depth = 0;
    for (int i = at; i < all.size(); i++) {
      if (isSymbol(i, '(')) {
        depth++;
      } else if (isSymbol(i, ')') && --depth == 0) {
        return i + 1;
      }
    }
    return all.size();
  }

  /** Where a word stands in no parentheses, or the end. */
  int find(int from, String... words) {
    List<String> wanted = List.of(words);
    for (int i = from; i < all.size(); i++) {
      if (isSymbol(i, '(')) {
        i = behindParentheses(i) - 1;
      } else if (wanted.contains(word(i))) {
        return i;
      }
    }
    return all.size();
  }
}
