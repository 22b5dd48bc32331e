package com.lokryn.ducklake.production;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.lokryn.ducklake.testing.IamPolicyDocument;
import com.lokryn.ducklake.testing.ScriptedService;
import com.lokryn.ducklake.testing.TestingPostgres;
import com.lokryn.ducklake.testing.TestingProcess;
import com.lokryn.ducklake.testing.TestingProduction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code doctor} and {@code iam-policy} as operators run them. */
class DoctorIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static TestingProduction production;

  @BeforeAll
  static void start() {
    production = new TestingProduction();
  }

  @AfterAll
  static void stop() {
    production.close();
  }

  /** What a command printed, and how it ended. */
  private record Run(int exitCode, List<String> lines, List<String> errors) {
    static Run of(Map<String, String> environment, String... arguments) {
      try (var process = TestingProcess.start(environment, arguments)) {
        int code = process.exitCode();
        return new Run(code, List.copyOf(process.lines()), List.copyOf(process.errors()));
      }
    }

    String text() {
      return String.join("\n", lines);
    }

    JsonNode json() throws Exception {
      return JSON.readTree(text());
    }
  }

  @Test
  void allIsWell() throws Exception {
    Map<String, String> environment = production.environment(production.newLake());
    Run text = Run.of(environment, "doctor");
    assertThat(text.exitCode()).describedAs(text.text()).isZero();
    assertThat(text.errors()).isEmpty();
    assertThat(text.lines()).hasSizeGreaterThan(20).noneMatch(line -> line.startsWith("✗"));
    assertThat(text.lines().getFirst())
        .isEqualTo(
            "✓ configuration     the settings are complete and of the right form"
                + " (loaded from environment variables)");
    assertThat(text.lines().getLast()).endsWith(" 0 failed");
    assertThat(text.text()).doesNotContain(TestingPostgres.PASSWORD);

    Run json = Run.of(environment, "doctor", "--json");
    assertThat(json.exitCode()).isZero();
    assertThat(json.lines()).hasSize(1);
    assertThat(json.json().fieldNames()).toIterable().containsExactly("checks");
    for (JsonNode check : json.json().get("checks")) {
      assertThat(check.fieldNames())
          .toIterable()
          .containsExactly("id", "name", "ok", "detail", "remedy");
      assertThat(check.get("ok").booleanValue()).describedAs(check.toString()).isTrue();
      assertThat(check.get("remedy").textValue()).isEmpty();
    }
  }

  @Test
  void halfOfItIsWrongAndTheOtherHalfIsTriedAllTheSame() throws Exception {
    Map<String, String> environment = production.environment(production.newLake());
    environment.put("POSTGRES_PASSWORD", "canary-wrong");
    environment.put("S3_BUCKET_URL", "s3://no-such-bucket");
    environment.put("QUERY_TIMEOUT", "soon");
    environment.put("TEMP_DIRECTORY", "/proc/none");
    environment.put("FLIGHT_USERS", "[{\"name\": \"ana\", \"password\": \"canary-x\"}]");
    Run run = Run.of(environment, "doctor", "--json");
    assertThat(run.exitCode()).isEqualTo(78);
    assertThat(run.text()).doesNotContain("canary");
    Map<String, JsonNode> failed = failed(run.json());
    assertThat(failed.keySet())
        .containsExactlyInAnyOrder(
            "configuration",
            "users",
            "s3.location",
            "s3.list",
            "s3.put",
            "s3.get",
            "s3.delete",
            "s3.multipart",
            "s3.kms",
            "postgres.login",
            "postgres.create",
            "postgres.version",
            "catalog",
            "spill");
    assertThat(failed.get("configuration").get("detail").textValue())
        .contains("query_timeout (from the environment as QUERY_TIMEOUT)", "flight_users");
    assertThat(failed.get("users").get("detail").textValue()).contains("role");
    assertThat(failed.get("s3.put").get("remedy").textValue()).contains("s3_bucket_url");
    assertThat(failed.get("postgres.login").get("remedy").textValue())
        .contains("postgres_password");
    assertThat(failed.get("catalog").get("detail").textValue())
        .isEqualTo("not tried: it needs postgres.login");
  }

  private static Map<String, JsonNode> failed(JsonNode report) {
    Map<String, JsonNode> failed = new LinkedHashMap<>();
    report
        .get("checks")
        .forEach(
            check -> {
              if (!check.get("ok").booleanValue()) {
                failed.put(check.get("id").textValue(), check);
              }
            });
    return failed;
  }

  @Test
  void nothingIsConfigured() throws Exception {
    Run run = Run.of(Map.of(), "doctor", "--json");
    assertThat(run.exitCode()).isEqualTo(78);
    Map<String, JsonNode> failed = failed(run.json());
    assertThat(failed.get("configuration").get("detail").textValue()).contains("POSTGRES_USER");
    assertThat(failed.get("credentials").get("remedy").textValue())
        .contains("give the task a role");
    assertThat(failed).doesNotContainKeys("engine", "spill", "memory", "files", "users", "tls");
    assertThat(run.errors()).isEmpty();
  }

  @Test
  void thePolicyIsThatOfTheConfiguration() throws Exception {
    Map<String, String> environment =
        Map.of(
            "AWS_REGION", "us-gov-west-1",
            "S3_BUCKET_URL", "s3://my-bucket/lake",
            "DUCKLAKE_SECRET_ID", "my/secret");
    Run task = Run.of(environment, "iam-policy");
    assertThat(task.exitCode()).describedAs(String.join("\n", task.errors())).isZero();
    assertThat(IamPolicyDocument.parse(task.text()).actions())
        .doesNotContain("aws-marketplace:RegisterUsage");
    assertThat(resources(task.json()))
        .containsExactly(
            "arn:aws-us-gov:secretsmanager:us-gov-west-1:*:secret:my/secret-??????",
            "arn:aws-us-gov:s3:::my-bucket/lake/*",
            "arn:aws-us-gov:s3:::my-bucket");
    Run marketplace =
        Run.of(environment, "iam-policy", "--marketplace", "--account", "123456789012");
    assertThat(IamPolicyDocument.parse(marketplace.text()).actions())
        .contains("aws-marketplace:RegisterUsage")
        .doesNotContain("aws-marketplace:MeterUsage");
    assertThat(resources(marketplace.json()))
        .contains(
            "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:my/secret-??????")
        .contains("*");
    Run execution = Run.of(environment, "iam-policy", "--role", "execution");
    assertThat(IamPolicyDocument.parse(execution.text()).actions())
        .containsExactlyInAnyOrder(
            "ecr:GetAuthorizationToken",
            "ecr:BatchCheckLayerAvailability",
            "ecr:GetDownloadUrlForLayer",
            "ecr:BatchGetImage",
            "logs:CreateLogStream",
            "logs:PutLogEvents");
    assertThat(resources(execution.json()))
        .contains("arn:aws-us-gov:logs:us-gov-west-1:*:log-group:/ecs/ducklake-flight:*");
  }

  @Test
  void aPolicyNeedsABucket() {
    Run run = Run.of(Map.of("AWS_REGION", "eu-west-1"), "iam-policy");
    assertThat(run.exitCode()).isEqualTo(78);
    assertThat(run.lines()).isEmpty();
    assertThat(run.errors().getLast()).contains("s3_bucket_url", "S3_BUCKET_URL");
    assertThat(Run.of(Map.of(), "iam-policy", "--account", "12").exitCode()).isEqualTo(64);
    assertThat(Run.of(Map.of(), "iam-policy", "--role", "king").exitCode()).isEqualTo(64);
  }

  private static List<String> resources(JsonNode policy) {
    return StreamSupport.stream(policy.get("Statement").spliterator(), false)
        .map(statement -> statement.get("Resource").textValue())
        .collect(Collectors.toList());
  }

  @Test
  void whatCannotBeTriedSaysWhichSettingIsWrong(@TempDir Path directory) throws Exception {
    Map<String, String> environment = production.environment(production.newLake());
    environment.put("POSTGRES_SSLMODE", "perhaps");
    environment.put("TEMP_DIRECTORY", Files.createFile(directory.resolve("file")).toString());
    Run run = Run.of(environment, "doctor", "--json");
    assertThat(run.exitCode()).isEqualTo(78);
    Map<String, JsonNode> failed = failed(run.json());
    assertThat(failed.get("postgres.reach").get("detail").textValue())
        .isEqualTo("not tried: it needs a right value of postgres_sslmode");
    assertThat(failed.get("spill").get("detail").textValue()).startsWith("nothing can be written");
  }

  @Test
  void aPolicySaysThatSecretsManagerDoesNotWork() throws Exception {
    try (var broken = ScriptedService.always(ScriptedService.Answer.json(500, "{}"))) {
      Map<String, String> environment = production.environment(production.newLake());
      environment.put("AWS_ENDPOINT_URL_SECRETS_MANAGER", broken.endpoint().toString());
      Run run = Run.of(environment, "iam-policy");
      assertThat(run.exitCode()).isEqualTo(69);
      assertThat(run.errors().toString())
          .contains("Secrets Manager does not work now")
          .doesNotContain("s3_bucket_url");
    }
  }
}
