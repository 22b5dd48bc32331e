package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.access.Role;
import java.util.Optional;

/**
 * Refuses roles and grants that would be promises only. To be taken away, with its two callers,
 * when statements are held to them.
 */
final class Enforcement {
  private Enforcement() {}

  /** Why nobody may come in as that, in a text that goes on from a name; none where they may. */
  static Optional<String> refusal(Identity identity) {
    if (identity.role() != Role.ADMIN) {
      return Optional.of(
          "has the role %s, and roles are not enforced yet: everyone who may come in may do everything in the lake"
              .formatted(identity.role().text()));
    }
    return identity
        .grants()
        .map(
            _ ->
                "has grants, and grants are not enforced yet: everyone who may come in may do"
                    + " everything in the lake");
  }
}
