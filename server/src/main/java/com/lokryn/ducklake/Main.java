package com.lokryn.ducklake;

import com.lokryn.ducklake.cli.CommandLineRunner;

/** The program. */
public final class Main {
  private Main() {}

  /** Runs a command and exits with its code. */
  public static void main(String[] arguments) {
    System.exit(CommandLineRunner.run(arguments));
  }
}
