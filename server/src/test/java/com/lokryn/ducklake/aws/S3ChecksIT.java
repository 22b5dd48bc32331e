package com.lokryn.ducklake.aws;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.Finding.Failed;
import com.lokryn.ducklake.config.Finding.Passed;
import com.lokryn.ducklake.config.S3Location;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.testing.ScriptedService;
import com.lokryn.ducklake.testing.TestingAws;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** What the check of the bucket says to each behaviour of S3. */
class S3ChecksIT {
  private static final S3Location LOCATION = new S3Location("my-bucket", "data/");
  private static final String KEEP = " /my-bucket/data/.keep";
  private static final String TEXT = "S3 write test failed: writing my-bucket/data/.keep: ";

  @Test
  void passesWhereItMayWriteAndLeavesNothing() {
    try (var aws = TestingAws.start();
        var clients = TestingClients.of(aws.endpoint());
        S3Client s3 = clients.s3(TestingClients.REGION)) {
      s3.createBucket(
          request ->
              request
                  .bucket("my-bucket")
                  .createBucketConfiguration(
                      configuration -> configuration.locationConstraint(TestingClients.REGION)));
      assertThat(writeTest(clients, LOCATION, TestingClients.REGION))
          .isEqualTo(new Passed("my-bucket/data/.keep"));
      assertThat(s3.listObjectsV2(request -> request.bucket("my-bucket")).contents()).isEmpty();

      StartProblem problem =
          problem(writeTest(clients, new S3Location("other-bucket", "x/"), TestingClients.REGION));
      assertThat(problem.kind()).isEqualTo(Kind.CONFIGURATION);
      assertThat(problem.text())
          .contains("NoSuchBucket: The specified bucket does not exist", "other-bucket/x/.keep");
      assertThat(problem.remedy()).contains("s3_bucket_url");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "PUT | writing | s3:PutObject",
        "GET | reading | s3:GetObject",
        "DELETE | deleting | s3:DeleteObject",
      })
  void whatIsRefusedIsNamedWithTheActionToAdd(String method, String verb, String action) {
    try (var service =
        ScriptedService.to(
            request ->
                request.equals(method + KEEP)
                    ? error(403, "AccessDenied", "Access Denied")
                    : content(request))) {
      StartProblem problem = problem(run(service.endpoint(), TestingClients.REGION));
      assertThat(problem.kind()).isEqualTo(Kind.PERMISSION);
      assertThat(problem.text())
          .isEqualTo(
              "S3 write test failed: %s my-bucket/data/.keep: AccessDenied: Access Denied"
                  .formatted(verb));
      assertThat(problem.remedy())
          .isEqualTo(
              "add %s on arn:aws:s3:::my-bucket/data/* to the policy of the task role"
                  .formatted(action));
    }
  }

  @ParameterizedTest
  @CsvSource({"cn-north-1, aws-cn", "us-gov-west-1, aws-us-gov", "eu-west-1, aws"})
  void theArnIsOfTheRegionsPartition(String region, String partition) {
    try (var service = ScriptedService.always(error(403, "AccessDenied", "Access Denied"))) {
      assertThat(problem(run(service.endpoint(), region)).remedy())
          .contains("arn:" + partition + ":s3:::my-bucket/data/*");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "403 | InvalidAccessKeyId | PERMISSION | credentials are in force",
        "403 | SignatureDoesNotMatch | PERMISSION | credentials are in force",
        "400 | ExpiredToken | PERMISSION | credentials are in force",
        "403 | SomethingElse | PERMISSION | add s3:PutObject",
        "403 | RequestTimeTooSkewed | CONFIGURATION | clock",
        "301 | PermanentRedirect | CONFIGURATION | set aws_region to the bucket's region",
        "503 | SlowDown | DEPENDENCY | reaches S3 in eu-west-1",
        "500 | InternalError | DEPENDENCY | reaches S3 in eu-west-1",
        "405 | MethodNotAllowed | DEPENDENCY | s3:PutObject",
      })
  void eachErrorHasItsKindAndRemedy(int status, String code, Kind kind, String remedy) {
    try (var service = ScriptedService.always(error(status, code, "so it is"))) {
      StartProblem problem = problem(run(service.endpoint(), TestingClients.REGION));
      assertThat(problem.kind()).isEqualTo(kind);
      assertThat(problem.text()).isEqualTo(TEXT + code + ": so it is");
      assertThat(problem.remedy()).contains(remedy);
    }
  }

  @Test
  void aWrongRegionIsNamedWithTheRightOne() {
    try (var service =
        ScriptedService.always(
            error(
                400,
                "AuthorizationHeaderMalformed",
                "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting"
                    + " 'us-east-2'"))) {
      StartProblem problem = problem(run(service.endpoint(), TestingClients.REGION));
      assertThat(problem.kind()).isEqualTo(Kind.CONFIGURATION);
      assertThat(problem.remedy()).isEqualTo("set aws_region to us-east-2; it is eu-west-1");
    }
  }

  @Test
  void thePermissionOfAKeyIsNamed() {
    try (var service =
        ScriptedService.always(
            error(
                403,
                "AccessDenied",
                "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform:"
                    + " kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:1:key/k because no"
                    + " identity-based policy allows it"))) {
      assertThat(problem(run(service.endpoint(), TestingClients.REGION)).remedy())
          .startsWith("add kms:GenerateDataKey on arn:aws:kms:eu-west-1:1:key/k");
    }
  }

  @Test
  void anExplicitDenyIsToBeTakenOut() {
    try (var service =
        ScriptedService.always(
            error(403, "AccessDenied", "not authorized with an explicit deny in a policy"))) {
      assertThat(problem(run(service.endpoint(), TestingClients.REGION)).remedy())
          .startsWith(
              "take out the explicit deny of s3:PutObject on arn:aws:s3:::my-bucket/data/*");
    }
  }

  @Test
  void anotherProcessMayDeleteTheObjectInBetween() {
    try (var service =
        new ScriptedService(
            (number, request) ->
                number == 1 ? error(404, "NoSuchKey", "It is gone") : content(request))) {
      assertThat(run(service.endpoint(), TestingClients.REGION))
          .isEqualTo(new Passed("my-bucket/data/.keep"));
      assertThat(service.requests()).containsExactly("PUT" + KEEP, "GET" + KEEP, "DELETE" + KEEP);
    }
  }

  @Test
  void anotherContentIsNoSuccess() {
    try (var service = ScriptedService.to(_ -> ScriptedService.Answer.xml(200, "something else"))) {
      assertThat(problem(run(service.endpoint(), TestingClients.REGION)).kind())
          .isEqualTo(Kind.DEPENDENCY);
    }
  }

  @Test
  void whereNobodyListensTheDependencyIsMissing() throws Exception {
    StartProblem problem = problem(run(closedPort(), TestingClients.REGION));
    assertThat(problem.kind()).isEqualTo(Kind.DEPENDENCY);
    assertThat(problem.text()).contains("refused");
    assertThat(problem.sentence()).doesNotContain("SDK");
  }

  @Test
  void withoutCredentialsThePermissionIsMissing() {
    var none =
        new AwsClients(
            () -> {
              throw SdkClientException.create("Unable to load credentials from any of them");
            },
            () -> Region.EU_WEST_1,
            Optional.of(URI.create("http://127.0.0.1:1")));
    StartProblem problem = problem(writeTest(none, LOCATION, "eu-west-1"));
    assertThat(problem.kind()).isEqualTo(Kind.PERMISSION);
    assertThat(problem.remedy()).contains("AWS_PROFILE");
  }

  private static Finding run(URI endpoint, String region) {
    try (var clients = TestingClients.of(endpoint)) {
      return writeTest(clients, LOCATION, region);
    }
  }

  private static Finding writeTest(AwsClients clients, S3Location location, String region) {
    try (var checks = new S3Checks(clients, location, region, InstantSource.system())) {
      return checks.writeTest();
    }
  }

  private static StartProblem problem(Finding result) {
    assertThat(result).isInstanceOf(Failed.class);
    assertThat(result.toString()).doesNotContain("canary");
    return ((Failed) result).problem();
  }

  private static ScriptedService.Answer content(String request) {
    return ScriptedService.Answer.xml(200, request.startsWith("GET") ? "ducklake-flight\n" : "");
  }

  private static ScriptedService.Answer error(int status, String code, String message) {
    return ScriptedService.Answer.xml(
        status, "<Error><Code>%s</Code><Message>%s</Message></Error>".formatted(code, message));
  }

  private static URI closedPort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return URI.create("http://127.0.0.1:" + socket.getLocalPort());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "200 | eu-west-1 | ok | my-bucket is in eu-west-1",
        "403 | eu-west-1 | ok | my-bucket is in eu-west-1",
        "200 | us-east-2 | failed | the bucket my-bucket is in us-east-2",
        "403 | us-east-2 | failed | the bucket my-bucket is in us-east-2",
        "400 | us-east-2 | failed | the bucket my-bucket is in us-east-2",
        "301 | us-east-2 | failed | the bucket my-bucket is in us-east-2",
        "404 |           | failed | there is no bucket my-bucket",
        "200 |           | ok | S3 does not say where my-bucket is",
        "403 |           | ok | S3 does not say where my-bucket is",
        "503 | eu-west-1 | ok | my-bucket is in eu-west-1",
      })
  void theBucketsRegionNeedsNoPermission(int status, String region, String end, String detail) {
    try (var service = new ScriptedService((_, _) -> ScriptedService.Answer.head(status, region));
        var clients = TestingClients.of(service.endpoint());
        var checks =
            new S3Checks(clients, LOCATION, TestingClients.REGION, InstantSource.system())) {
      Finding finding = checks.location();
      assertThat(finding.isOk()).isEqualTo(end.equals("ok"));
      assertThat(finding.detail()).isEqualTo(detail);
      if (detail.contains("us-east-2")) {
        assertThat(finding.remedy()).isEqualTo("set aws_region to us-east-2; it is eu-west-1");
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"0, true", "60, true", "-60, true", "600, false", "-600, false"})
  void theClockIsHeldAgainstS3s(long offSeconds, boolean isOk) {
    try (var service = ScriptedService.always(ScriptedService.Answer.xml(200, ""));
        var clients = TestingClients.of(service.endpoint());
        var checks =
            new S3Checks(
                clients,
                LOCATION,
                TestingClients.REGION,
                InstantSource.offset(InstantSource.system(), Duration.ofSeconds(offSeconds)))) {
      assertThat(checks.clock().isOk()).isFalse();
      checks.location();
      assertThat(checks.clock().isOk()).isEqualTo(isOk);
      if (!isOk) {
        assertThat(checks.clock().detail()).contains(offSeconds < 0 ? "behind" : "ahead");
      }
    }
  }

  @Test
  void apartIsGivenUpAgainAlsoWhenItWasRefused() {
    try (var service =
            new ScriptedService(
                (number, _) ->
                    switch (number) {
                      case 0 ->
                          ScriptedService.Answer.xml(
                              200,
                              "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
                      case 1 -> error(403, "AccessDenied", "Access Denied");
                      default -> ScriptedService.Answer.xml(204, "");
                    });
        var clients = TestingClients.of(service.endpoint());
        var checks =
            new S3Checks(clients, LOCATION, TestingClients.REGION, InstantSource.system())) {
      assertThat(problem(checks.multipart()).remedy()).startsWith("add s3:PutObject");
      assertThat(service.requests()).containsExactly("POST" + KEEP, "PUT" + KEEP, "DELETE" + KEEP);
    }
  }
}
