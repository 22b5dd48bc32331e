package com.lokryn.ducklake.query;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.observe.QueryId;
import com.lokryn.ducklake.observe.QueryKind;
import org.apache.arrow.vector.VectorSchemaRoot;

/**
 * Tells how statements would be executed that somebody looks at. Callers are threads that may enter
 * the engine. Thread-safe.
 */
public final class Explanations {
  /** The name of the column with the text of a plan. */
  private static final String VALUE = "explain_value";

  private static final int LONGEST = 64 << 10;

  private final QueryService queries;
  private final Namespace namespace;
  private final Session.Connector connector;

  /**
   * @param namespace where names are looked up
   */
  public Explanations(QueryService queries, Namespace namespace, Session.Connector connector) {
    this.queries = queries;
    this.namespace = namespace;
    this.connector = connector;
  }

  /**
   * The plan of a query, as text. What is explained may be the text of another user's, who may have
   * written it for the eyes of an administrator: {@code ANALYZE DROP TABLE t} is no statement, but
   * after EXPLAIN it is one, and is run. So it has to be a query by its first word, and whoever
   * looks has the rights of a reader for it, who changes nothing.
   *
   * @throws QueryException where it may not be explained, or was cancelled
   */
  public String plan(String sql, Identity viewer, Cancellation cancellation)
      throws EngineException {
    if (QueryKind.of(SqlText.of(sql).verb()) != QueryKind.SELECT) {
      throw new QueryException(Problem.FORBIDDEN, "plans are shown of queries only");
    }
    var reader = new Identity(viewer.name(), Role.READER, viewer.grants());
    try (var session =
        new Session(QueryId.random().value(), reader, namespace, namespace, connector)) {
      return switch (queries.start(session, "EXPLAIN " + sql, ResultSource.ENGINE, cancellation)) {
        case RunningQuery rows -> text(rows);
        case CompletedUpdate _ -> "";
      };
    }
  }

  private static String text(RunningQuery rows) throws EngineException {
    var plan = new StringBuilder();
    try {
      while (rows.next() && plan.length() < LONGEST) {
        VectorSchemaRoot root = rows.root();
        for (int i = 0; i < root.getRowCount(); i++) {
          plan.append(root.getVector(VALUE).getObject(i));
        }
      }
      rows.finish(rows.done());
      return plan.toString();
    } catch (EngineException | RuntimeException e) {
      rows.finish(Outcome.of(e));
      throw e;
    }
  }
}
