package com.lokryn.ducklake.cli;

/** Ends a command with a sentence on standard error and an exit code. */
final class CommandFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int exitCode;

  CommandFailure(int exitCode, String text) {
    super(text);
    this.exitCode = exitCode;
  }

  int exitCode() {
    return exitCode;
  }
}
