package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.auth.SessionTokens.Token;
import java.util.Optional;

/** What comes of asking a call who it comes from. */
public sealed interface Verdict {
  /** Why a call is refused. */
  enum Reason {
    /** Nobody is known by what it shows. */
    UNKNOWN,
    /** It is known who it is, and they may do nothing here. */
    FORBIDDEN,
    /** There are too many logins, or there were too many wrong ones. */
    TOO_MANY,
    /** What it takes to know is not there at this moment. */
    UNAVAILABLE
  }

  /**
   * It is known.
   *
   * @param token that it came with, of those that a login is answered with
   * @param byPassword whether it came with a password
   */
  record Known(Identity identity, Optional<Token> token, boolean byPassword) implements Verdict {
    /** Someone who shows themselves anew with each call. */
    public static Known each(Identity identity) {
      return new Known(identity, Optional.empty(), false);
    }
  }

  /**
   * It is not let in.
   *
   * @param text for the client
   */
  record Refused(Reason reason, String text) implements Verdict {}
}
