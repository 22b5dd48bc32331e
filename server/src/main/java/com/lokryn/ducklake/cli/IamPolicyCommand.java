package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.aws.AwsClients;
import com.lokryn.ducklake.aws.PolicyStatement.Role;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.doctor.IamPolicy;
import com.lokryn.ducklake.doctor.PolicyOptions;
import com.lokryn.ducklake.doctor.Subject;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "iam-policy",
    description =
        "Prints the least that IAM has to allow for the configuration that 'serve' would use.",
    mixinStandardHelpOptions = true)
final class IamPolicyCommand implements Callable<Integer> {
  private static final Pattern ACCOUNT = Pattern.compile("\\d{12}");
  private static final Pattern KEY =
      Pattern.compile("arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/[A-Za-z0-9-]+");

  /** Not the policy's own type: that would load AWS's classes with every command. */
  private enum For {
    TASK,
    EXECUTION
  }

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--role",
      defaultValue = "TASK",
      description = "task: the process's role; execution: that of the agent which starts it.")
  private For role = For.TASK;

  @Option(
      names = "--marketplace",
      description = "With AWS Marketplace metering, also where no product code is set.")
  private boolean marketplace;

  @Option(names = "--account", description = "The account's number; any where none is given.")
  private @Nullable String account;

  @Option(
      names = "--secret-key",
      paramLabel = "ARN",
      description = "The customer's KMS key that the secret is encrypted with.")
  private @Nullable String secretKey;

  @Option(
      names = "--bucket-key",
      paramLabel = "ARN",
      description = "The customer's KMS key that the bucket is encrypted with.")
  private @Nullable String bucketKey;

  @Option(
      names = "--log-group",
      defaultValue = "/ecs/ducklake-flight",
      description = "The log group of the container (${DEFAULT-VALUE}).")
  private String logGroup = "";

  @Mixin private ConfigurationOptions configuration = new ConfigurationOptions();
  @Mixin private ExtensionDirectory extensions = new ExtensionDirectory();

  @Override
  public Integer call() {
    check("--account", account, ACCOUNT, "twelve digits");
    check("--secret-key", secretKey, KEY, "the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID");
    check("--bucket-key", bucketKey, KEY, "the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID");
    try (var clients = AwsClients.ofProcess();
        var subject =
            Subject.read(
                clients,
                extensions.get(),
                configuration.given(),
                configuration.file(),
                System.getenv())) {
      var options =
          new PolicyOptions(
              Optional.ofNullable(account),
              Optional.ofNullable(secretKey),
              Optional.ofNullable(bucketKey),
              logGroup,
              marketplace);
      System.out.println(IamPolicy.of(Role.valueOf(role.name()), subject.scope(options)));
      return ExitCode.DONE;
    } catch (StartException e) {
      throw ServeRun.failed(e);
    }
  }

  private void check(String option, @Nullable String text, Pattern form, String sentence) {
    if (text != null && !form.matcher(text).matches()) {
      throw new ParameterException(
          Objects.requireNonNull(spec).commandLine(), option + " is " + sentence);
    }
  }
}
