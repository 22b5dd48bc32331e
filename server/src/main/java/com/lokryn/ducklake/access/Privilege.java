package com.lokryn.ducklake.access;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What a grant lets someone do with a table or view of the lake. */
public enum Privilege {
  SELECT,
  INSERT,
  UPDATE,
  DELETE,
  /** Making, altering, dropping and commenting it. */
  ALTER;

  /** The privilege of that name. */
  public static Optional<Privilege> of(String name) {
    return Arrays.stream(values()).filter(one -> one.text().equals(name)).findFirst();
  }

  /** As it is written in settings and claims. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
