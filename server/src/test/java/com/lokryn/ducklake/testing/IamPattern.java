package com.lokryn.ducklake.testing;

import java.util.List;
import java.util.regex.Pattern;

/** The patterns of policies: "*" is any text, "?" is one character. */
final class IamPattern {
  private static final int ARN_PARTS = 6;

  private IamPattern() {}

  static boolean matches(String pattern, String text) {
    return compile(pattern, Pattern.DOTALL).matcher(text).matches();
  }

  /** Actions are the same in capitals and small letters. */
  static boolean matchesAction(String pattern, String action) {
    return compile(pattern, Pattern.CASE_INSENSITIVE).matcher(action).matches();
  }

  /** Each part of an ARN for itself: a "*" for the account does not reach into the name. */
  static boolean matchesResource(String pattern, String resource) {
    if (pattern.equals("*")) {
      return true;
    }
    List<String> patterns = List.of(pattern.split(":", ARN_PARTS));
    List<String> parts = List.of(resource.split(":", ARN_PARTS));
    if (patterns.size() != parts.size()) {
      return false;
    }
    for (int part = 0; part < patterns.size(); part++) {
      if (!matches(patterns.get(part), parts.get(part))) {
        return false;
      }
    }
    return true;
  }

  static boolean isResource(String pattern) {
    return pattern.equals("*")
        || (pattern.startsWith("arn:") && pattern.split(":", ARN_PARTS).length == ARN_PARTS);
  }

  private static Pattern compile(String pattern, int flags) {
    var regex = new StringBuilder();
    for (int at = 0; at < pattern.length(); at++) {
      char character = pattern.charAt(at);
      switch (character) {
        case '*' -> regex.append(".*");
        case '?' -> regex.append('.');
        default -> regex.append(Pattern.quote(String.valueOf(character)));
      }
    }
    return Pattern.compile(regex.toString(), flags);
  }
}
