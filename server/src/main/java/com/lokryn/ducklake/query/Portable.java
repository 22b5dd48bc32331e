package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.Namespace;

/**
 * A statement that only reads, and that any server of the lake can run as well: nothing of its
 * session but the place where names are looked up is needed for it.
 */
public record Portable(String sql, Namespace namespace) {
  /** Longer ones would make handles that no header and no log can take. */
  static final int MAX_CHARS = 32 << 10;
}
