package com.lokryn.ducklake.access;

import java.util.Optional;

/**
 * Someone who has come in.
 *
 * @param name tells them from all others
 * @param grants what of the lake their role is narrowed to; none: all of it
 */
public record Identity(String name, Role role, Optional<Grants> grants) {
  /** Someone whose role is not narrowed. */
  public Identity(String name, Role role) {
    this(name, role, Optional.empty());
  }

  /** The same with a role that nothing narrows. */
  public Identity withoutGrants() {
    return new Identity(name, role);
  }
}
