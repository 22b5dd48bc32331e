package com.lokryn.ducklake.query;

import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.SqlText;

/**
 * A statement that is run for a client.
 *
 * @param namespace where its names are looked up
 */
record Call(
    Execution execution,
    Namespace namespace,
    Admitted admitted,
    Parameters parameters,
    ResultSource source) {
  SqlText text() {
    return admitted.text();
  }

  /** The same with another text, of what was let pass, for the engine. */
  Call as(SqlText other) {
    return new Call(
        execution, namespace, new Admitted(other, admitted.statement()), parameters, source);
  }

  boolean isReader() {
    return session().identity().role() == Role.READER;
  }

  Session session() {
    return execution.session();
  }

  Cancellation cancellation() {
    return execution.cancellation();
  }

  /** True when the connection of the statement may serve another one. */
  boolean isClean() {
    return admitted.leavesNoState() && !cancellation().isCancelled() && !cancellation().isWatched();
  }
}
