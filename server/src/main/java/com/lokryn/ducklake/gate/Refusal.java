package com.lokryn.ducklake.gate;

/** A statement that does not pass; the text says what in it is why, and what to do. */
public final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1L;

  Refusal(String text) {
    super(text);
  }

  public String text() {
    return String.valueOf(getMessage());
  }
}
