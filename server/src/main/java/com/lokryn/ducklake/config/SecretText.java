package com.lokryn.ducklake.config;

import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/**
 * A text that nobody may see: a password, a key. It shows itself as {@value #HIDDEN}, in texts,
 * formats and JSON alike; two of them are compared in a time that does not depend on where they
 * differ.
 */
public final class SecretText {
  static final String HIDDEN = "(secret)";

  private final transient String value;

  public SecretText(String value) {
    this.value = value;
  }

  /** The text itself, for the one who needs it, at the moment of need. */
  public String reveal() {
    return value;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SecretText secret && MessageDigest.isEqual(bytes(), secret.bytes());
  }

  /** The same for all: a hash would tell about the text. */
  @Override
  public int hashCode() {
    return 0;
  }

  @JsonValue
  @Override
  public String toString() {
    return HIDDEN;
  }

  private byte[] bytes() {
    return value.getBytes(StandardCharsets.UTF_8);
  }
}
