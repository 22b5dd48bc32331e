package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.HealthProbe;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
    name = "health",
    description = "Ends with 0 while the server takes queries.",
    mixinStandardHelpOptions = true)
final class HealthCommand implements Callable<Integer> {
  @Mixin private ServerOptions server = new ServerOptions();

  @Override
  public Integer call() {
    String status = HealthProbe.ask(server.url());
    if (!status.equals("SERVING")) {
      throw new CommandFailure(
          ExitCode.DEPENDENCY,
          "the server at %s is not serving: %s".formatted(server.url(), status));
    }
    return ExitCode.DONE;
  }
}
