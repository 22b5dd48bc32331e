package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.gate.Statement;

/**
 * A statement that may be looked at by the engine.
 *
 * @param text as it was sent
 * @param statement what was read from it
 */
record Admitted(SqlText text, Statement statement) {
  /** True when a connection that it ran on has nothing of it left. */
  boolean leavesNoState() {
    return text.leavesNoState() && statement.serverTables().isEmpty();
  }
}
