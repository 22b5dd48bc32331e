package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.gate.Statement;

/**
 * A statement that may be looked at by the engine.
 *
 * @param text as it was sent
 * @param statement what was read from it
 */
record Admitted(SqlText text, Statement statement) {}
