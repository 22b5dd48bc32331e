package com.lokryn.ducklake.cli;

/** How the program ends; the numbers are those of sysexits.h where it has one. */
final class ExitCode {
  static final int DONE = 0;

  /** The server refused a statement or a request, or a file could not be read or written. */
  static final int FAILED = 1;

  static final int USAGE = 64;
  static final int DEPENDENCY = 69;
  static final int INTERNAL = 70;
  static final int PERMISSION = 77;
  static final int CONFIGURATION = 78;

  /** Whoever read the output has gone: what a shell says of a program that SIGPIPE has ended. */
  static final int PIPE = 141;

  private ExitCode() {}
}
