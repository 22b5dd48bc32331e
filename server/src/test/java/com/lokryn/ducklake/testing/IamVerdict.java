package com.lokryn.ducklake.testing;

/** What a policy says to a request. */
public enum IamVerdict {
  ALLOWED,
  /** No statement allows it. */
  NOT_ALLOWED,
  /** A statement denies it, whatever others allow. */
  DENIED;

  /** The end of the sentence with which AWS refuses. */
  String reason(String action) {
    return switch (this) {
      case ALLOWED -> throw new IllegalStateException(action + " is allowed");
      case NOT_ALLOWED -> "because no identity-based policy allows the %s action".formatted(action);
      case DENIED -> "with an explicit deny in an identity-based policy";
    };
  }
}
