package com.lokryn.ducklake.cli;

import picocli.CommandLine.Command;

@Command(name = "sql", mixinStandardHelpOptions = true)
final class SqlCommand implements Runnable {
  @Override
  public void run() {}
}
