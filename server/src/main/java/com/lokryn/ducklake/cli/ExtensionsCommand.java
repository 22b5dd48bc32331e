package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.engine.ExtensionInstaller;
import com.lokryn.ducklake.engine.Extensions;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "extensions",
    description = "Manages the DuckDB extensions of the server.",
    mixinStandardHelpOptions = true,
    subcommands = ExtensionsCommand.Install.class)
final class ExtensionsCommand {
  @Command(
      name = "install",
      description = {
        "Puts the DuckDB extensions that the server needs where it finds them: from DuckDB's own",
        "repository, else from the duckdb-extension-* Python wheels of the same version."
      },
      mixinStandardHelpOptions = true)
  static final class Install implements Callable<Integer> {
    @Mixin private ExtensionDirectory directory = new ExtensionDirectory();

    @Parameters(
        paramLabel = "NAME",
        arity = "0..*",
        description = "Extensions; without any, those that the server needs.")
    private List<String> names = List.of();

    @Override
    public Integer call() {
      Extensions extensions = directory.get();
      var installer = new ExtensionInstaller(extensions);
      for (String name : names.isEmpty() ? Extensions.NEEDED : names) {
        if (extensions.has(name)) {
          System.out.printf("✓ %s is there%n", name);
          continue;
        }
        try {
          System.out.printf("✓ %s installed from %s%n", name, installer.install(name));
        } catch (IOException e) {
          throw new CommandFailure(ExitCode.DEPENDENCY, "✗ " + e.getMessage());
        }
      }
      return ExitCode.DONE;
    }
  }
}
