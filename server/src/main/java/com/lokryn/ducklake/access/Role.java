package com.lokryn.ducklake.access;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What someone may do, each more than the one before. */
public enum Role {
  /** Reads the lake, and makes temporary objects. */
  READER,
  /** Changes rows, tables, views and schemas of the lake too. */
  WRITER,
  /** Calls the lake's maintenance too, and sees and ends what others do. */
  ADMIN;

  /** Whether it may do all that another one may. */
  public boolean includes(Role other) {
    return compareTo(other) >= 0;
  }

  /** The role of that name. */
  public static Optional<Role> of(String name) {
    return Arrays.stream(values()).filter(role -> role.text().equals(name)).findFirst();
  }

  /** As it is written in settings and claims. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
