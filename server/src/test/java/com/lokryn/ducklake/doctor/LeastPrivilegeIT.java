package com.lokryn.ducklake.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.aws.AwsClients;
import com.lokryn.ducklake.aws.PolicyStatement.Role;
import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.testing.IamDecision;
import com.lokryn.ducklake.testing.IamPolicyDocument;
import com.lokryn.ducklake.testing.MeteringService;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingIam;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingProcess;
import com.lokryn.ducklake.testing.TestingProduction;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;

/**
 * The policy that is printed is what the checks need, no more and no less: with exactly that policy
 * all pass, and without one of its actions exactly those fail that name it.
 */
class LeastPrivilegeIT {
  private static final String KEY = "testing";
  private static final String SECRET_KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/the-secrets";
  private static final String BUCKET_KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/the-buckets";

  private static TestingProduction production;
  private TestingIam iam;
  private MeteringService metering;
  private static Map<String, String> environment;

  @BeforeAll
  static void start() throws Exception {
    production = new TestingProduction();
    String lake = production.newLake();
    production.putSecret("lokryn/ducklake/config", lake);
    environment = new LinkedHashMap<>(production.environment(lake));
    environment.put("MARKETPLACE_PRODUCT_CODE", "product");
    environment.put("MARKETPLACE_USAGE_DIMENSION", "queries");
    environment.put("MARKETPLACE_USAGE_UNIT", "query_seconds");
  }

  @AfterAll
  static void stop() {
    production.close();
  }

  @BeforeEach
  void enforce() {
    iam = new TestingIam(production.aws().endpoint(), "us-east-1");
    metering = new MeteringService();
    iam.meteringAt(metering.endpoint());
  }

  @AfterEach
  void letGo() {
    iam.close();
    metering.close();
  }

  private AwsClients clients() {
    return new AwsClients(
        StaticCredentialsProvider.create(AwsBasicCredentials.create(KEY, "testing")),
        () -> Region.US_EAST_1,
        Optional.of(iam.endpoint()));
  }

  /** What does not pass, and what was found. */
  private Map<CheckId, String> failing() {
    try (var clients = clients();
        var subject = subject(clients)) {
      return new Doctor(Checks.ALL, subject)
          .run(_ -> {}).stream()
              .filter(result -> !result.finding().isOk())
              .collect(
                  Collectors.toMap(
                      result -> result.check().id(),
                      result -> result.finding().detail() + " → " + result.finding().remedy()));
    }
  }

  private static Subject subject(AwsClients clients) {
    return Subject.read(
        clients, TestingLakeServer.extensions(), Map.of(), Optional.empty(), environment);
  }

  private IamPolicyDocument policy(boolean keys) throws Exception {
    try (var clients = clients();
        var subject = subject(clients)) {
      var options =
          new PolicyOptions(
              Optional.of("123456789012"),
              Optional.of(SECRET_KEY_ARN).filter(_ -> keys),
              Optional.of(BUCKET_KEY_ARN).filter(_ -> keys),
              "/ecs/ducklake-flight",
              false);
      return IamPolicyDocument.parse(IamPolicy.of(Role.TASK, subject.scope(options)));
    }
  }

  /** The ids of the checks that name an action. */
  private static Set<CheckId> naming(String action) {
    return Checks.ALL.stream()
        .filter(
            check ->
                check.permissions().stream()
                    .anyMatch(permission -> permission.action().equals(action)))
        .map(Check::id)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private void prove(IamPolicyDocument policy) {
    iam.policy(KEY, policy);
    iam.forget();
    assertThat(failing()).isEmpty();
    assertThat(iam.decisions()).isNotEmpty().allMatch(IamDecision::allowed);
    for (String action : policy.actions()) {
      iam.policy(KEY, policy.without(action));
      Map<CheckId, String> failing = failing();
      assertThat(new TreeSet<>(failing.keySet())).describedAs(action).isEqualTo(naming(action));
      assertThat(metering.records()).isEmpty();
      assertThat(failing.values())
          .describedAs(action)
          .anyMatch(text -> text.contains("→ add " + action + " on "));
    }
  }

  @Test
  void exactlyThePolicyIsEnoughAndNothingOfItTooMuch() throws Exception {
    IamPolicyDocument policy = policy(false);
    assertThat(policy.actions())
        .containsExactlyInAnyOrder(
            "secretsmanager:GetSecretValue",
            "s3:ListBucket",
            "s3:GetObject",
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:AbortMultipartUpload",
            "aws-marketplace:RegisterUsage",
            "aws-marketplace:MeterUsage");
    prove(policy);
  }

  @Test
  void soItIsWithCustomersKeys() throws Exception {
    iam.encryptBucketWith(BUCKET_KEY_ARN);
    iam.encryptSecretsWith(SECRET_KEY_ARN);
    IamPolicyDocument policy = policy(true);
    assertThat(policy.actions()).contains("kms:Decrypt", "kms:GenerateDataKey");
    prove(policy);
  }

  /** Registration, statements of all kinds and maintenance, and not one request refused. */
  @Test
  void aServerWorksWithExactlyIt() throws Exception {
    iam.policy(KEY, policy(false));
    var process = new LinkedHashMap<>(environment);
    process.put("AWS_ENDPOINT_URL", iam.endpoint().toString());
    process.put("MARKETPLACE_PUBLIC_KEY", MeteringService.publicKeyPem());
    try (var server =
            TestingProcess.start(process, "serve", "--host", "127.0.0.1", "--port", "0")
                .listening();
        var client = new TestingClient(server.port())) {
      client.update("CREATE TABLE t AS SELECT i FROM range(1000) r(i)");
      client.update("INSERT INTO t SELECT i FROM range(1000, 2000) r(i)");
      client.update("UPDATE t SET i = -i WHERE i % 10 = 0");
      client.update("DELETE FROM t WHERE i % 10 = 1");
      assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(1_800L);
      client.update("CALL ducklake_merge_adjacent_files('lake')");
      client.update("CALL ducklake_expire_snapshots('lake', older_than => now())");
      client.update("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)");
      client.update("CALL ducklake_delete_orphaned_files('lake', cleanup_all => true)");
      assertThat(client.value("SELECT count(*) FROM t")).isEqualTo(1_800L);
      assertThat(server.terminate()).isZero();
    }
    assertThat(iam.decisions()).isNotEmpty().allMatch(IamDecision::allowed);
    assertThat(iam.decisions())
        .extracting(IamDecision::action)
        .contains(
            "secretsmanager:GetSecretValue",
            "s3:GetObject",
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:ListBucket",
            "aws-marketplace:RegisterUsage");
  }

  @Test
  void nobodysKeysPassNothing() {
    iam.revoke(KEY);
    assertThat(failing().keySet())
        .containsAll(
            List.of(
                CheckId.SECRET_READ,
                CheckId.S3_LIST,
                CheckId.S3_PUT,
                CheckId.S3_GET,
                CheckId.S3_DELETE,
                CheckId.S3_MULTIPART));
  }
}
