package com.lokryn.ducklake.query;

/** A request that the server itself refuses or ends; the text says what to do. */
public final class QueryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Problem problem;

  public QueryException(Problem problem, String text) {
    super(text);
    this.problem = problem;
  }

  public Problem problem() {
    return problem;
  }

  public String text() {
    return String.valueOf(getMessage());
  }
}
