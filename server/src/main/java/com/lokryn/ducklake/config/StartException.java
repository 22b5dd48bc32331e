package com.lokryn.ducklake.config;

/** Something outside of the program keeps it from starting. */
public final class StartException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient StartProblem problem;

  public StartException(StartProblem problem) {
    super(problem.sentence());
    this.problem = problem;
  }

  public StartProblem problem() {
    return problem;
  }
}
