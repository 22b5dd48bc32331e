package com.lokryn.ducklake;

import com.lokryn.ducklake.cli.CommandLineRunner;
import com.lokryn.ducklake.observe.Logging;

/** The program. */
public final class Main {
  private Main() {}

  /** Runs a command and exits with its code. */
  public static void main(String[] arguments) {
    int code = CommandLineRunner.run(arguments);
    Logging.close();
    System.exit(code);
  }
}
