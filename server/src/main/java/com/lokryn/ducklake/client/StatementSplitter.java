package com.lokryn.ducklake.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Cuts a script into statements at its semicolons, but for those in strings, quoted names and
 * comments, by DuckDB's lexical rules.
 */
public final class StatementSplitter {
  private final String script;
  private int at;

  private StatementSplitter(String script) {
    this.script = script;
  }

  /** The statements, without their semicolons; what is only space and comments is left out. */
  public static List<String> split(String script) {
    return new StatementSplitter(script).split();
  }

  /** The word that a statement begins with, in lower case; empty if there is none. */
  public static String firstWord(String statement) {
    var words = new StatementSplitter(statement);
    while (words.skipSpace()) {
      // The word comes after spaces and comments.
    }
    int from = words.at;
    while (words.at < statement.length() && isWordPart(statement.charAt(words.at))) {
      words.at++;
    }
    return statement.substring(from, words.at).toLowerCase(Locale.ROOT);
  }

  private List<String> split() {
    var statements = new ArrayList<String>();
    int from = 0;
    boolean empty = true;
    while (at < script.length()) {
      char c = script.charAt(at);
      if (c == ';') {
        if (!empty) {
          statements.add(script.substring(from, at).strip());
        }
        at++;
        from = at;
        empty = true;
      } else if (!skipSpace()) {
        empty = false;
        skipToken(c);
      }
    }
    if (!empty) {
      statements.add(script.substring(from).strip());
    }
    return statements;
  }

  /** Skips a space or a comment, if there is one. */
  private boolean skipSpace() {
    if (script.startsWith("--", at)) {
      skipTo("\n");
    } else if (script.startsWith("/*", at)) {
      skipComment();
    } else if (at < script.length()
        && (Character.isWhitespace(script.charAt(at)) || script.charAt(at) == '\uFEFF')) {
      at++;
    } else {
      return false;
    }
    return true;
  }

  private void skipToken(char c) {
    if (c == '\'' || c == '"') {
      skipQuoted(c, c == '\'' && isEscapeString());
    } else if (c == '$' && !isInsideWord()) {
      skipDollarQuoted();
    } else {
      at++;
    }
  }

  /** True for {@code E'…'}, where a backslash takes the quote's meaning away. */
  private boolean isEscapeString() {
    return at > 0
        && (script.charAt(at - 1) == 'e' || script.charAt(at - 1) == 'E')
        && (at < 2 || !isWordPart(script.charAt(at - 2)));
  }

  private boolean isInsideWord() {
    return at > 0 && isWordPart(script.charAt(at - 1));
  }

  private void skipQuoted(char quote, boolean backslashes) {
    at++;
    while (at < script.length()) {
      char c = script.charAt(at++);
      if (backslashes && c == '\\') {
        at++;
      } else if (c == quote) {
        return;
      }
    }
  }

  private void skipDollarQuoted() {
    int end = at + 1;
    while (end < script.length() && isWordPart(script.charAt(end)) && script.charAt(end) != '$') {
      end++;
    }
    boolean tag =
        end < script.length()
            && script.charAt(end) == '$'
            && !Character.isDigit(script.charAt(at + 1));
    if (tag) {
      String quote = script.substring(at, end + 1);
      at = end + 1;
      skipTo(quote);
    } else {
      at++;
    }
  }

  private void skipTo(String end) {
    int found = script.indexOf(end, at);
    at = found < 0 ? script.length() : found + end.length();
  }

  private void skipComment() {
    int depth = 0;
    do {
      if (script.startsWith("/*", at)) {
        depth++;
        at += 2;
      } else if (script.startsWith("*/", at)) {
        depth--;
        at += 2;
      } else {
        at++;
      }
    } while (depth > 0 && at < script.length());
  }

  private static boolean isWordPart(char c) {
    return c == '_' || c == '$' || Character.isLetterOrDigit(c) || c >= 0x80;
  }
}
