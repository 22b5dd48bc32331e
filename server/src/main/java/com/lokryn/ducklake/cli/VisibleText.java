package com.lokryn.ducklake.cli;

import java.util.function.IntPredicate;

/** Texts of others on a terminal: what would command it is shown instead of sent. */
final class VisibleText {
  private VisibleText() {}

  /** A text in one line, its line ends and tabs shown as well. */
  static String oneLine(String text) {
    return show(text, _ -> false);
  }

  /** A text that may have several lines. */
  static String lines(String text) {
    return show(text, c -> c == '\n' || c == '\t');
  }

  private static String show(String text, IntPredicate kept) {
    if (text.chars().noneMatch(c -> commands(c) && !kept.test(c))) {
      return text;
    }
    var shown = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!commands(c) || kept.test(c)) {
        shown.append(c);
        continue;
      }
      shown.append(
          switch (c) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> "\\u%04x".formatted((int) c);
          });
    }
    return shown.toString();
  }

  /** Controls of ASCII and of Latin 1, line ends of Unicode, and what turns the direction. */
  private static boolean commands(int c) {
    return Character.isISOControl(c)
        || c == '\u2028'
        || c == '\u2029'
        || (c >= '\u202a' && c <= '\u202e')
        || (c >= '\u2066' && c <= '\u2069');
  }
}
