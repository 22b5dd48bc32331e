package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.HealthProbe;
import java.util.Optional;
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
    Optional<String> problem = HealthProbe.ask(server.url());
    if (problem.isPresent()) {
      throw new CommandFailure(ExitCode.DEPENDENCY, problem.get());
    }
    return ExitCode.DONE;
  }
}
