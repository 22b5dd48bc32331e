package com.lokryn.ducklake.config;

/** What came of trying something that the program needs. */
public sealed interface Finding {
  /**
   * It works.
   *
   * @param detail what was found, in a few words
   */
  record Passed(String detail) implements Finding {}

  /**
   * The configuration does not ask for it, so that nothing was tried.
   *
   * @param detail why
   */
  record Unneeded(String detail) implements Finding {}

  /** It does not work. */
  record Failed(StartProblem problem) implements Finding {}

  /**
   * It could not be tried.
   *
   * @param reason what was missing
   */
  record Untried(String reason) implements Finding {}

  /** Is there nothing to mend? */
  default boolean isOk() {
    return switch (this) {
      case Passed _, Unneeded _ -> true;
      case Failed _, Untried _ -> false;
    };
  }

  /** What was found, in words. */
  default String detail() {
    return switch (this) {
      case Passed(var detail) -> detail;
      case Unneeded(var detail) -> detail;
      case Failed(var problem) -> problem.text();
      case Untried(var reason) -> "not tried: " + reason;
    };
  }

  /** What to do about it; empty where there is nothing to do. */
  default String remedy() {
    return this instanceof Failed(var problem) ? problem.remedy() : "";
  }
}
