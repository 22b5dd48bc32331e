package com.lokryn.ducklake.observe;

import java.util.Optional;

/**
 * All there is to say of a statement that is over; what is told to each {@link QueryListener}.
 *
 * @param session the id of its session
 * @param cause what ended it, in one word of a few, where it did not end well
 * @param rows that were sent or changed
 * @param bytes of the batches that were sent
 * @param sql the statement, with its values: for those only who were asked to keep it; empty for an
 *     ingest
 */
public record QueryRecord(
    QueryId id,
    String user,
    String session,
    QueryKind kind,
    QueryOutcome outcome,
    Optional<String> cause,
    Phases phases,
    long rows,
    long bytes,
    String sql,
    Request request) {
  /** The same without the statement, for those who keep it in part. */
  public QueryRecord withoutSql() {
    return new QueryRecord(
        id, user, session, kind, outcome, cause, phases, rows, bytes, "", request);
  }
}
