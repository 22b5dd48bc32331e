package com.lokryn.ducklake.cli;

import picocli.CommandLine.Command;

@Command(name = "health", mixinStandardHelpOptions = true)
final class HealthCommand implements Runnable {
  @Override
  public void run() {}
}
