package com.lokryn.ducklake.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Error;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.secretsmanager.model.ResourceNotFoundException;

/** The proxy that enforces policies, seen by the clients that the server has. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TestingIamIT {
  private static final String REGION = "eu-west-1";
  private static final String ACCESS_KEY = "AKIATASK";
  private static final String KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/k-1";
  private static final String SECRET = "lokryn/ducklake/config";
  private static final String USER =
      "User: arn:aws:sts::123456789012:assumed-role/ducklake-task/test is not authorized to"
          + " perform: ";
  private static final AtomicInteger NEXT = new AtomicInteger();

  /** More than is held in memory on the way. */
  private static final byte[] LARGE = new byte[6 << 20];

  private static final String TASK =
      """
      {"Version": "2012-10-17", "Statement": [
        {"Sid": "Configuration", "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"],
         "Resource": "arn:aws:secretsmanager:eu-west-1:*:secret:lokryn/ducklake/config-??????"},
        {"Sid": "LakeObjects", "Effect": "Allow",
         "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
         "Resource": "arn:aws:s3:::BUCKET/data/*"},
        {"Sid": "LakeListing", "Effect": "Allow",
         "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::BUCKET",
         "Condition": {"StringLike": {"s3:prefix": ["data/*", "data/"]}}},
        {"Sid": "LakeBucket", "Effect": "Allow",
         "Action": ["s3:GetBucketLocation", "s3:GetEncryptionConfiguration",
                    "s3:ListBucketMultipartUploads"],
         "Resource": "arn:aws:s3:::BUCKET"},
        {"Sid": "Metering", "Effect": "Allow", "Action": "aws-marketplace:RegisterUsage",
         "Resource": "*"}]}
      """;

  private final TestingAws aws = TestingAws.start();
  private final S3Client owner = s3(aws.endpoint(), "OWNER", REGION);
  private String bucket = "";
  private String secretArn = "";
  private IamPolicyDocument task = IamPolicyDocument.none();
  private TestingIam iam;
  private S3Client s3;
  private SecretsManagerClient secrets;

  @BeforeAll
  void createSecret() {
    new Random(1).nextBytes(LARGE);
    try (var ownersSecrets = secrets(aws.endpoint())) {
      secretArn =
          ownersSecrets.createSecret(request -> request.name(SECRET).secretString("{}")).arn();
    }
  }

  @AfterAll
  void stop() {
    owner.close();
    aws.close();
  }

  @BeforeEach
  void createBucket() {
    bucket = "bucket-" + NEXT.incrementAndGet();
    owner.createBucket(
        request ->
            request
                .bucket(bucket)
                .createBucketConfiguration(
                    configuration -> configuration.locationConstraint(REGION)));
    iam = new TestingIam(aws.endpoint(), REGION);
    task = IamPolicyDocument.parse(TASK.replace("BUCKET", bucket));
    iam.policy(ACCESS_KEY, task);
    s3 = s3(iam.endpoint(), ACCESS_KEY, REGION);
    secrets = secrets(iam.endpoint());
  }

  @AfterEach
  void close() {
    secrets.close();
    s3.close();
    iam.close();
  }

  @Test
  void theRightPolicyIsEnough() {
    put("data/a b+c/ä.txt", "hello");
    assertThat(get("data/a b+c/ä.txt")).isEqualTo("hello");
    assertThat(
            s3.getObjectAsBytes(
                    request -> request.bucket(bucket).key("data/a b+c/ä.txt").range("bytes=1-2"))
                .asUtf8String())
        .isEqualTo("el");
    var head = s3.headObject(request -> request.bucket(bucket).key("data/a b+c/ä.txt"));
    assertThat(head.contentLength()).isEqualTo(5);
    assertThat(head.serverSideEncryption()).isEqualTo(ServerSideEncryption.AES256);
    assertThat(list("data/")).containsExactly("data/a b+c/ä.txt");
    assertThat(s3.getBucketLocation(request -> request.bucket(bucket)).locationConstraintAsString())
        .isEqualTo(REGION);
    assertThat(encryption()).isEqualTo(ServerSideEncryption.AES256);
    s3.deleteObject(request -> request.bucket(bucket).key("data/a b+c/ä.txt"));
    assertThat(list("data/")).isEmpty();
    assertThat(secrets.getSecretValue(request -> request.secretId(SECRET)).secretString())
        .isEqualTo("{}");
    assertThat(iam.decisions())
        .allMatch(IamDecision::allowed)
        .startsWith(
            new IamDecision("s3:PutObject", arn("data/a b+c/ä.txt"), true),
            new IamDecision("s3:GetObject", arn("data/a b+c/ä.txt"), true))
        .endsWith(new IamDecision("secretsmanager:GetSecretValue", secretArn, true));
    iam.forget();
    assertThat(iam.decisions()).isEmpty();
  }

  @Test
  void largeObjectsPassUnchanged() {
    s3.putObject(request -> request.bucket(bucket).key("data/l"), RequestBody.fromBytes(LARGE));
    assertThat(s3.getObjectAsBytes(request -> request.bucket(bucket).key("data/l")).asByteArray())
        .isEqualTo(LARGE);
  }

  @Test
  void aBodyWithoutItsLengthHasToBeSmall() throws Exception {
    try (var http = HttpClient.newHttpClient()) {
      for (int length : List.of(1000, LARGE.length)) {
        var content = new ByteArrayInputStream(LARGE, 0, length);
        var request =
            signed(iam.endpoint().resolve("/" + bucket + "/data/x"), "s3")
                .PUT(BodyPublishers.ofInputStream(() -> content));
        assertThat(http.send(request.build(), BodyHandlers.discarding()).statusCode())
            .isEqualTo(length == 1000 ? 200 : 501);
      }
    }
    assertThat(s3.headObject(request -> request.bucket(bucket).key("data/x")).contentLength())
        .isEqualTo(1000);
  }

  @Test
  void objectsAreUploadedInParts() {
    String id = createUpload();
    String tag = uploadPart(id);
    assertThat(s3.listMultipartUploads(request -> request.bucket(bucket)).uploads()).hasSize(1);
    completeUpload(id, tag);
    assertThat(
            s3.getObjectAsBytes(request -> request.bucket(bucket).key("data/parts")).asByteArray())
        .isEqualTo(LARGE);
    abortUpload(createUpload());
    assertThat(s3.listMultipartUploads(request -> request.bucket(bucket)).uploads()).isEmpty();
    assertThat(iam.decisions())
        .allMatch(IamDecision::allowed)
        .contains(new IamDecision("s3:AbortMultipartUpload", arn("data/parts"), true));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "s3:PutObject",
        "s3:GetObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListBucket",
        "s3:GetBucketLocation",
        "s3:GetEncryptionConfiguration",
        "s3:ListBucketMultipartUploads",
        "secretsmanager:GetSecretValue",
      })
  void whatIsTakenAwayIsRefusedAndNothingElse(String action) {
    put("data/x", "x");
    String upload = createUpload();
    Map<String, ThrowingCallable> uses =
        Map.of(
            "s3:PutObject", () -> put("data/y", "y"),
            "s3:GetObject", () -> get("data/x"),
            "s3:DeleteObject", () -> delete("data/z"),
            "s3:AbortMultipartUpload", () -> abortUpload(upload),
            "s3:ListBucket", () -> list("data/"),
            "s3:GetBucketLocation", () -> s3.getBucketLocation(request -> request.bucket(bucket)),
            "s3:GetEncryptionConfiguration", this::encryption,
            "s3:ListBucketMultipartUploads",
                () -> s3.listMultipartUploads(request -> request.bucket(bucket)),
            "secretsmanager:GetSecretValue",
                () -> secrets.getSecretValue(request -> request.secretId(SECRET)));
    iam.policy(ACCESS_KEY, task.without(action));
    uses.forEach(
        (used, use) -> {
          if (used.equals(action)) {
            assertRefused(
                use,
                USER + action + " on resource: ",
                " because no identity-based policy allows the " + action + " action");
          } else {
            assertThat(use).satisfies(ThrowingCallable::call);
          }
        });
    assertThat(iam.decisions().stream().filter(decision -> !decision.allowed()))
        .singleElement()
        .returns(action, IamDecision::action);
  }

  @Test
  void aRefusalHasTheWordsOfS3() {
    assertThatExceptionOfType(S3Exception.class)
        .isThrownBy(() -> put("other/x", "x"))
        .satisfies(
            e -> {
              assertThat(e.statusCode()).isEqualTo(403);
              assertThat(e.awsErrorDetails().errorCode()).isEqualTo("AccessDenied");
              assertThat(e.awsErrorDetails().errorMessage())
                  .isEqualTo(
                      USER
                          + "s3:PutObject on resource: \"arn:aws:s3:::%s/other/x\" because no"
                              .formatted(bucket)
                          + " identity-based policy allows the s3:PutObject action");
              assertThat(region(e)).isEqualTo(REGION);
            });
    assertRefused(() -> putLarge("other/x"), "s3:PutObject");
  }

  @Test
  void anExplicitDenyWins() {
    iam.policy(
        ACCESS_KEY,
        task.and(
            IamPolicyDocument.parse(
                """
                {"Version": "2012-10-17", "Statement": [
                  {"Effect": "Deny", "Action": "s3:Put*", "Resource": "arn:aws:s3:::%s/data/no/*"}]}
                """
                    .formatted(bucket))));
    put("data/yes/x", "x");
    assertRefused(
        () -> put("data/no/x", "x"),
        "s3:PutObject",
        "with an explicit deny in an identity-based policy");
  }

  @Test
  void aListHasToHaveThePrefixOfTheCondition() {
    assertThat(list("data/x")).isEmpty();
    assertRefused(() -> list("other/"), "s3:ListBucket on resource: \"arn:aws:s3:::" + bucket);
    assertRefused(() -> list(null), "s3:ListBucket");
    assertThatExceptionOfType(S3Exception.class)
        .isThrownBy(() -> s3.headBucket(request -> request.bucket(bucket)))
        .returns(403, AwsServiceException::statusCode)
        .returns(REGION, TestingIamIT::region);
  }

  @Test
  void whoMayNotListDoesNotLearnWhatIsMissing() {
    assertRefused(
        () -> get("data/none"), "s3:ListBucket on resource: \"arn:aws:s3:::%s\"".formatted(bucket));
    assertThatExceptionOfType(S3Exception.class)
        .isThrownBy(() -> s3.headObject(request -> request.bucket(bucket).key("data/none")))
        .returns(403, AwsServiceException::statusCode);
    iam.policy(ACCESS_KEY, allowing("s3:*", "*"));
    assertThatExceptionOfType(S3Exception.class)
        .isThrownBy(() -> get("data/none"))
        .returns(404, AwsServiceException::statusCode)
        .returns("NoSuchKey", e -> e.awsErrorDetails().errorCode());
  }

  @Test
  void anotherRegionIsRefusedWithTheRightOne() {
    try (var elsewhere = s3(iam.endpoint(), ACCESS_KEY, "us-east-1")) {
      assertThatExceptionOfType(S3Exception.class)
          .isThrownBy(
              () ->
                  elsewhere.putObject(
                      request -> request.bucket(bucket).key("data/x"), RequestBody.empty()))
          .returns(400, AwsServiceException::statusCode)
          .returns(REGION, TestingIamIT::region)
          .returns("AuthorizationHeaderMalformed", e -> e.awsErrorDetails().errorCode())
          .satisfies(
              e ->
                  assertThat(e.awsErrorDetails().errorMessage())
                      .endsWith("the region 'us-east-1' is wrong; expecting 'eu-west-1'"));
      assertThatExceptionOfType(S3Exception.class)
          .isThrownBy(() -> elsewhere.headBucket(request -> request.bucket(bucket)))
          .returns(400, AwsServiceException::statusCode)
          .returns(REGION, TestingIamIT::region);
    }
  }

  @Test
  void aBucketThatIsNotThereIsTold() {
    assertThatExceptionOfType(S3Exception.class)
        .isThrownBy(
            () ->
                s3.putObject(
                    request -> request.bucket("none-at-all").key("data/x"), RequestBody.empty()))
        .returns(404, AwsServiceException::statusCode)
        .returns("NoSuchBucket", e -> e.awsErrorDetails().errorCode());
  }

  @Test
  void aKeyThatNobodyHasIsRefused() throws Exception {
    iam.revoke(ACCESS_KEY);
    assertThatExceptionOfType(S3Exception.class)
        .isThrownBy(() -> get("data/x"))
        .returns(403, AwsServiceException::statusCode)
        .returns(REGION, TestingIamIT::region)
        .returns("InvalidAccessKeyId", e -> e.awsErrorDetails().errorCode());
    assertThatExceptionOfType(AwsServiceException.class)
        .isThrownBy(() -> secrets.getSecretValue(request -> request.secretId(SECRET)))
        .returns(400, AwsServiceException::statusCode)
        .returns("UnrecognizedClientException", e -> e.awsErrorDetails().errorCode());
    try (var http = HttpClient.newHttpClient()) {
      var unsigned = HttpRequest.newBuilder(iam.endpoint().resolve("/" + bucket)).build();
      assertThat(http.send(unsigned, BodyHandlers.discarding()).statusCode()).isEqualTo(403);
    }
  }

  @Test
  void ofSeveralObjectsThoseAreDeletedThatMayBe() {
    put("data/a", "");
    put("data/b", "");
    owner.putObject(request -> request.bucket(bucket).key("other/<c>"), RequestBody.empty());
    assertThat(deleteAll("data/a", "other/<c>"))
        .singleElement()
        .returns("other/<c>", S3Error::key)
        .returns("AccessDenied", S3Error::code)
        .satisfies(
            error ->
                assertThat(error.message())
                    .contains("s3:DeleteObject on resource: \"" + arn("other/<c>") + "\""));
    assertThat(list("data/")).containsExactly("data/b");
    assertThat(deleteAll("data/b")).isEmpty();
    assertThat(list("data/")).isEmpty();
    assertThat(deleteAll("other/<c>", "other/d")).hasSize(2);
    assertThat(owner.listObjectsV2(request -> request.bucket(bucket)).contents()).hasSize(1);
  }

  @Test
  void whatNobodyKnowsIsNeverAllowed() {
    iam.policy(ACCESS_KEY, allowing("*", "*"));
    put("data/a", "a");
    assertRefused(
        () -> s3.getObjectAcl(request -> request.bucket(bucket).key("data/a")), "s3:Unknown");
    assertRefused(
        () ->
            s3.copyObject(
                request ->
                    request
                        .sourceBucket(bucket)
                        .sourceKey("data/a")
                        .destinationBucket(bucket)
                        .destinationKey("data/b")),
        "s3:Unknown");
    assertRefused(s3::listBuckets, "s3:Unknown");
    assertThat(iam.decisions()).contains(new IamDecision("s3:Unknown", arn("data/a"), false));
  }

  @Test
  void theBucketsKeyIsNeeded() {
    iam.encryptBucketWith(KEY_ARN);
    owner.putObject(request -> request.bucket(bucket).key("data/x"), RequestBody.fromString("x"));
    assertRefused(
        () -> put("data/y", "y"),
        USER + "kms:GenerateDataKey on resource: " + KEY_ARN + " because no identity-based");
    assertRefused(() -> get("data/x"), "kms:Decrypt on resource: " + KEY_ARN);
    assertRefused(this::createUpload, "kms:GenerateDataKey");
    s3.headObject(request -> request.bucket(bucket).key("data/x"));

    var both = task.and(keys("s3"));
    iam.policy(ACCESS_KEY, both.without("kms:Decrypt"));
    put("data/y", "y");
    assertRefused(() -> get("data/y"), "kms:Decrypt");
    assertRefused(this::createUpload, "kms:Decrypt");

    iam.policy(ACCESS_KEY, both);
    assertThat(get("data/y")).isEqualTo("y");
    assertThat(s3.headObject(request -> request.bucket(bucket).key("data/y")))
        .returns(ServerSideEncryption.AWS_KMS, one -> one.serverSideEncryption())
        .returns(KEY_ARN, one -> one.ssekmsKeyId());
    assertThat(encryption()).isEqualTo(ServerSideEncryption.AWS_KMS);
    String id = createUpload();
    completeUpload(id, uploadPart(id));
  }

  @Test
  void aKeyIsForTheServiceOfTheCondition() {
    iam.encryptBucketWith(KEY_ARN);
    iam.encryptSecretsWith(KEY_ARN);
    iam.policy(ACCESS_KEY, task.and(keys("secretsmanager")));
    secrets.getSecretValue(request -> request.secretId(SECRET));
    assertRefused(() -> put("data/x", "x"), "kms:GenerateDataKey");
    iam.policy(ACCESS_KEY, task.and(keys("s3")));
    put("data/x", "x");
    assertRefused(
        () -> secrets.getSecretValue(request -> request.secretId(SECRET)),
        "Access to KMS is not allowed");
    // What describes a secret is not encrypted.
    iam.policy(ACCESS_KEY, allowing("secretsmanager:*", "*"));
    secrets.describeSecret(request -> request.secretId(SECRET));
  }

  @Test
  void aSecretIsJudgedByItsWholeArn() {
    for (String id : List.of(SECRET, secretArn, secretArn.substring(0, secretArn.length() - 7))) {
      secrets.getSecretValue(request -> request.secretId(id));
    }
    assertThat(iam.decisions())
        .hasSize(3)
        .containsOnly(new IamDecision("secretsmanager:GetSecretValue", secretArn, true));
    assertThatExceptionOfType(AwsServiceException.class)
        .isThrownBy(() -> secrets.describeSecret(request -> request.secretId(SECRET)))
        .returns(400, AwsServiceException::statusCode)
        .returns("AccessDeniedException", e -> e.awsErrorDetails().errorCode())
        .returns(
            USER
                + "secretsmanager:DescribeSecret on resource: lokryn/ducklake/config because no"
                + " identity-based policy allows the secretsmanager:DescribeSecret action",
            e -> e.awsErrorDetails().errorMessage());
    assertRefused(
        () -> secrets.getSecretValue(request -> request.secretId("none")), "on resource: none");
    iam.policy(ACCESS_KEY, allowing("secretsmanager:GetSecretValue", "*"));
    assertThatExceptionOfType(ResourceNotFoundException.class)
        .isThrownBy(() -> secrets.getSecretValue(request -> request.secretId("none")));
  }

  @Test
  void meteringIsHandedOn() throws Exception {
    try (var metering =
        ScriptedService.always(ScriptedService.Answer.json(200, "{\"Signature\":\"s\"}"))) {
      iam.meteringAt(metering.endpoint());
      var answer = call("aws-marketplace", "AWSMPMeteringService.RegisterUsage", "{}");
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.body()).isEqualTo("{\"Signature\":\"s\"}");
      var refused = call("aws-marketplace", "AWSMPMeteringService.MeterUsage", "{}");
      assertThat(refused.statusCode()).isEqualTo(400);
      assertThat(refused.headers().firstValue("x-amzn-ErrorType"))
          .hasValue("AccessDeniedException");
      assertThat(refused.body())
          .contains(
              "\"__type\":\"AccessDeniedException\"", "aws-marketplace:MeterUsage on resource: *");
      assertThat(metering.requests()).hasSize(1);
      assertThat(iam.decisions())
          .containsExactly(
              new IamDecision("aws-marketplace:RegisterUsage", "*", true),
              new IamDecision("aws-marketplace:MeterUsage", "*", false));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "kms, TrentService.Decrypt, kms:Decrypt on resource: " + KEY_ARN,
    "sqs, AmazonSQS.SendMessage, nothing here enforces policies of the service sqs",
  })
  void otherServicesAreRefused(String service, String target, String text) throws Exception {
    var answer = call(service, target, "{\"KeyId\": \"%s\"}".formatted(KEY_ARN));
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body()).contains(text);
  }

  @Test
  void aKeyIsAskedForDirectly() throws Exception {
    iam.policy(ACCESS_KEY, allowing("kms:CreateKey", "*"));
    assertThat(call("kms", "TrentService.CreateKey", "{}").body()).contains("KeyMetadata");
  }

  @Test
  void duckDbWritesAndReads() throws SQLException {
    try (var connection = duckDb(REGION)) {
      run(connection, "COPY (FROM range(1000)) TO 's3://%s/data/x.parquet'".formatted(bucket));
      assertThat(count(connection, "data/x.parquet")).isEqualTo(1000);
      assertThat(count(connection, "data/*.parquet")).isEqualTo(1000);
      iam.policy(ACCESS_KEY, task.without("s3:PutObject"));
      assertThatExceptionOfType(SQLException.class)
          .isThrownBy(
              () -> run(connection, "COPY (SELECT 1) TO 's3://%s/data/y.csv'".formatted(bucket)))
          .withMessageContaining("s3:PutObject");
      assertThatExceptionOfType(SQLException.class)
          .isThrownBy(() -> count(connection, "other/x.parquet"))
          .withMessageContaining("403");
    }
  }

  @Test
  void duckDbWritesInParts() throws SQLException {
    try (var connection = duckDb(REGION)) {
      run(connection, "SET s3_uploader_max_filesize = '50GB'");
      run(
          connection,
          "COPY (SELECT hash(range) h, hash(h) g FROM range(2_000_000)) TO"
              + " 's3://%s/data/x.parquet' (COMPRESSION uncompressed)".formatted(bucket));
      assertThat(count(connection, "data/x.parquet")).isEqualTo(2_000_000);
    }
    assertThat(iam.decisions())
        .allMatch(IamDecision::allowed)
        .filteredOn(IamDecision::action, "s3:PutObject")
        .hasSizeGreaterThan(4);
  }

  @Test
  void duckDbFindsTheRegion() throws SQLException {
    try (var connection = duckDb("us-east-1")) {
      run(connection, "COPY (FROM range(10)) TO 's3://%s/data/x.parquet'".formatted(bucket));
      assertThat(count(connection, "data/x.parquet")).isEqualTo(10);
    }
  }

  private Connection duckDb(String region) throws SQLException {
    Connection connection = DriverManager.getConnection("jdbc:duckdb:");
    run(connection, TestingLakeServer.extensions().load("httpfs"));
    run(
        connection,
        "CREATE SECRET (TYPE s3, KEY_ID '%s', SECRET 'testing', REGION '%s',"
                .formatted(ACCESS_KEY, region)
            + " URL_STYLE 'path', USE_SSL false, ENDPOINT '%s')"
                .formatted(iam.endpoint().getAuthority()));
    return connection;
  }

  private static void run(Connection connection, String sql) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private long count(Connection connection, String key) throws SQLException {
    try (var statement = connection.createStatement();
        var rows =
            statement.executeQuery("SELECT count(*) FROM 's3://%s/%s'".formatted(bucket, key))) {
      rows.next();
      return rows.getLong(1);
    }
  }

  private String arn(String key) {
    return "arn:aws:s3:::%s/%s".formatted(bucket, key);
  }

  private void put(String key, String text) {
    s3.putObject(request -> request.bucket(bucket).key(key), RequestBody.fromString(text));
  }

  private void putLarge(String key) {
    s3.putObject(request -> request.bucket(bucket).key(key), RequestBody.fromBytes(LARGE));
  }

  private String get(String key) {
    return s3.getObjectAsBytes(request -> request.bucket(bucket).key(key)).asUtf8String();
  }

  private void delete(String key) {
    s3.deleteObject(request -> request.bucket(bucket).key(key));
  }

  private List<S3Error> deleteAll(String... keys) {
    var objects =
        List.of(keys).stream().map(key -> ObjectIdentifier.builder().key(key).build()).toList();
    return s3.deleteObjects(
            request -> request.bucket(bucket).delete(delete -> delete.objects(objects)))
        .errors();
  }

  private List<String> list(String prefix) {
    return s3.listObjectsV2(request -> request.bucket(bucket).prefix(prefix)).contents().stream()
        .map(object -> object.key())
        .toList();
  }

  private ServerSideEncryption encryption() {
    return s3.getBucketEncryption(request -> request.bucket(bucket))
        .serverSideEncryptionConfiguration()
        .rules()
        .getFirst()
        .applyServerSideEncryptionByDefault()
        .sseAlgorithm();
  }

  private String createUpload() {
    return s3.createMultipartUpload(request -> request.bucket(bucket).key("data/parts")).uploadId();
  }

  private String uploadPart(String id) {
    return s3.uploadPart(
            request -> request.bucket(bucket).key("data/parts").uploadId(id).partNumber(1),
            RequestBody.fromBytes(LARGE))
        .eTag();
  }

  private void completeUpload(String id, String tag) {
    var part = CompletedPart.builder().partNumber(1).eTag(tag).build();
    s3.completeMultipartUpload(
        request ->
            request
                .bucket(bucket)
                .key("data/parts")
                .uploadId(id)
                .multipartUpload(upload -> upload.parts(part)));
  }

  private void abortUpload(String id) {
    s3.abortMultipartUpload(request -> request.bucket(bucket).key("data/parts").uploadId(id));
  }

  /** A call as the services get it for which there is no client here. */
  private HttpResponse<String> call(String service, String target, String body)
      throws IOException, InterruptedException {
    try (var http = HttpClient.newHttpClient()) {
      return http.send(
          signed(iam.endpoint(), service)
              .header("X-Amz-Target", target)
              .header("Content-Type", "application/x-amz-json-1.1")
              .POST(BodyPublishers.ofString(body))
              .build(),
          BodyHandlers.ofString());
    }
  }

  private static HttpRequest.Builder signed(URI uri, String service) {
    return HttpRequest.newBuilder(uri)
        .header(
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=%s/20260101/%s/%s/aws4_request, SignedHeaders=host,"
                    .formatted(ACCESS_KEY, REGION, service)
                + " Signature=0");
  }

  private static void assertRefused(ThrowingCallable use, String... texts) {
    assertThatExceptionOfType(AwsServiceException.class)
        .isThrownBy(use)
        .satisfies(e -> assertThat(e.awsErrorDetails().errorMessage()).contains(texts));
  }

  private static String region(AwsServiceException e) {
    return e.awsErrorDetails()
        .sdkHttpResponse()
        .firstMatchingHeader("x-amz-bucket-region")
        .orElse("none");
  }

  private static IamPolicyDocument allowing(String action, String resource) {
    return IamPolicyDocument.parse(
        """
        {"Version": "2012-10-17", "Statement": [
          {"Effect": "Allow", "Action": "%s", "Resource": "%s"}]}
        """
            .formatted(action, resource));
  }

  private static IamPolicyDocument keys(String service) {
    return IamPolicyDocument.parse(
        """
        {"Version": "2012-10-17", "Statement": [
          {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "%s",
           "Condition": {"StringEquals": {"kms:ViaService": "%s.eu-west-1.amazonaws.com"}}}]}
        """
            .formatted(KEY_ARN, service));
  }

  private static S3Client s3(URI endpoint, String accessKey, String region) {
    return common(S3Client.builder(), endpoint, accessKey, region)
        .httpClient(UrlConnectionHttpClient.create())
        .forcePathStyle(true)
        .build();
  }

  private static SecretsManagerClient secrets(URI endpoint) {
    return common(SecretsManagerClient.builder(), endpoint, ACCESS_KEY, REGION)
        .httpClient(UrlConnectionHttpClient.create())
        .build();
  }

  private static <B extends AwsClientBuilder<B, ?>> B common(
      B builder, URI endpoint, String accessKey, String region) {
    return builder
        .endpointOverride(endpoint)
        .region(Region.of(region))
        .credentialsProvider(
            StaticCredentialsProvider.create(AwsBasicCredentials.create(accessKey, "testing")));
  }
}
