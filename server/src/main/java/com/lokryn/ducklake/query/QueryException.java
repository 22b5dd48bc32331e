package com.lokryn.ducklake.query;

import com.lokryn.ducklake.observe.Limit;
import java.util.Optional;

/** A request that the server itself refuses or ends; the text says what to do. */
public final class QueryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Problem problem;
  private final Limit limit;

  public QueryException(Problem problem, String text) {
    super(text);
    this.problem = problem;
    this.limit = Limit.OTHER;
  }

  /** A {@link Problem#LIMIT}, and which it is. */
  public QueryException(Limit limit, String text) {
    super(text);
    this.problem = Problem.LIMIT;
    this.limit = limit;
  }

  public Problem problem() {
    return problem;
  }

  /** Which limit was met, where the problem is one. */
  public Optional<Limit> limit() {
    return problem == Problem.LIMIT ? Optional.of(limit) : Optional.empty();
  }

  public String text() {
    return String.valueOf(getMessage());
  }
}
