package com.lokryn.ducklake.observe;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Names one statement on its log line, error, ticket and span; 128 random bits, not guessable. */
public record QueryId(String value) {
  private static final SecureRandom RANDOM = new SecureRandom();

  public static QueryId random() {
    byte[] bytes = new byte[16];
    RANDOM.nextBytes(bytes);
    return new QueryId(HexFormat.of().formatHex(bytes));
  }

  @Override
  public String toString() {
    return value;
  }
}
