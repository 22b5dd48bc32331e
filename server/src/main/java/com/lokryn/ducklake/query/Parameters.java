package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineStatement;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The values bound to a statement: one list per row, in the order of the parameters' numbers. The
 * statement runs once for each; with no row it does not run.
 *
 * @param heapBytes about what they take
 * @param bound false for a statement to which nothing was bound: it runs once, without values
 */
public record Parameters(List<List<@Nullable Object>> rows, long heapBytes, boolean bound) {
  public static final Parameters NONE = new Parameters(List.of(), 0, false);

  public static Parameters of(List<List<@Nullable Object>> rows, long heapBytes) {
    return new Parameters(rows, heapBytes, true);
  }

  boolean isMany() {
    return rows.size() > 1;
  }

  /** The rows to run with: a statement without parameters runs once. */
  List<List<@Nullable Object>> runs() {
    return bound ? rows : List.of(List.of());
  }

  /** The row to run a query with, which has to give a result. */
  List<@Nullable Object> first() {
    if (runs().isEmpty()) {
      throw new QueryException(
          Problem.INVALID, "no row of parameters was bound: bind one to run this query");
    }
    return runs().getFirst();
  }

  /** Runs a query with them; it is closed by whoever reads the rows. */
  BatchStream query(EngineStatement statement) throws EngineException {
    if (isMany()) {
      return new RepeatedStream(statement, rows);
    }
    statement.bind(first());
    return statement.executeQuery();
  }
}
