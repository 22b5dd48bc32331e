package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.aws.AwsClients;
import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.Finding.Failed;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.doctor.CheckResult;
import com.lokryn.ducklake.doctor.Checks;
import com.lokryn.ducklake.doctor.Doctor;
import com.lokryn.ducklake.doctor.Subject;
import com.lokryn.ducklake.observe.Logging;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "doctor",
    description =
        "Tries everything that 'serve' needs with its configuration, and says what to mend. Changes"
            + " nothing that lasts; ends with 0 only if all is well.",
    mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
  @Option(names = "--json", description = "One JSON object, with an array of the checks.")
  private boolean json;

  @Mixin private ConfigurationOptions configuration = new ConfigurationOptions();
  @Mixin private ExtensionDirectory extensions = new ExtensionDirectory();

  @Override
  public Integer call() {
    if (System.getenv(Settings.LOG_LEVEL.variable()) == null) {
      // What the log would warn of is what the checks say.
      Logging.configure(false, "error");
    }
    DoctorReport report = json ? new DoctorReport.Json() : new DoctorReport.Text();
    try (var clients = AwsClients.ofProcess();
        var subject =
            Subject.read(
                clients,
                extensions.get(),
                configuration.given(),
                configuration.file(),
                System.getenv())) {
      List<CheckResult> results = new Doctor(Checks.ALL, subject).run(report::add);
      report.end();
      return exitCode(results);
    }
  }

  /** That of the first failure; where something was only not tried, its reason has failed too. */
  private static int exitCode(List<CheckResult> results) {
    if (results.stream().map(CheckResult::finding).allMatch(Finding::isOk)) {
      return ExitCode.DONE;
    }
    return results.stream()
        .map(CheckResult::finding)
        .filter(Failed.class::isInstance)
        .map(Failed.class::cast)
        .findFirst()
        .map(failed -> ServeRun.exitCode(failed.problem()))
        .orElse(ExitCode.DEPENDENCY);
  }
}
