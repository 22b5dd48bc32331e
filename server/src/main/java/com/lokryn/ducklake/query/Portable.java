package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.SqlText;
import java.util.Optional;

/**
 * A statement that only reads, and that any server of the lake can run as well: nothing of its
 * session but the place where names are looked up is needed for it.
 */
public record Portable(String sql, Namespace namespace) {
  /** Longer ones would make handles that no header and no log can take. */
  private static final int MAX_CHARS = 32 << 10;

  /**
   * Of a statement, if it is one: bound values, and what a session holds, stay with their server.
   */
  static Optional<Portable> of(Session session, SqlText text, Parameters parameters) {
    return text.onlyReads()
            && parameters.equals(Parameters.NONE)
            && text.sql().length() <= MAX_CHARS
            && !session.hasState()
        ? Optional.of(new Portable(text.sql(), session.namespace()))
        : Optional.empty();
  }
}
