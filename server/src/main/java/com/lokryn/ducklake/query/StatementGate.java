package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.engine.StatementCounter;

/** What a text has to be before the engine sees it: one statement, not too long, and allowed. */
final class StatementGate {
  private StatementGate() {}

  static SqlText admit(String sql) throws EngineException {
    if (SqlText.isTooLong(sql)) {
      throw new QueryException(Problem.LIMIT, SqlText.TOO_LONG);
    }
    SqlText text = SqlText.of(sql);
    int statements = StatementCounter.count(text);
    return switch (statements) {
      case 1 -> allowed(text);
      case 0 -> throw new QueryException(Problem.INVALID, "the statement is empty");
      default ->
          throw new QueryException(
              Problem.INVALID,
              "%d statements were sent in one request, none of them was run: send them one by one"
                  .formatted(statements));
    };
  }

  /** What is the same for all clients is not theirs to change. */
  private static SqlText allowed(SqlText text) {
    if (text.isForTheServerOnly()) {
      throw new QueryException(
          Problem.FORBIDDEN,
          "catalogs, the engine's log and profiles, whole databases and settings for all are"
              + " attached, switched, moved and changed by the server only");
    }
    return text;
  }
}
