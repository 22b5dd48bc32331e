package com.lokryn.ducklake.aws;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import com.lokryn.ducklake.aws.SecretsManagerSource.Patience;
import com.lokryn.ducklake.config.Cascade;
import com.lokryn.ducklake.config.ConfigException;
import com.lokryn.ducklake.config.SecretSource.Absent;
import com.lokryn.ducklake.config.SecretSource.Answer;
import com.lokryn.ducklake.config.SecretSource.Binary;
import com.lokryn.ducklake.config.SecretSource.Failed;
import com.lokryn.ducklake.config.SecretSource.Found;
import com.lokryn.ducklake.config.SecretSource.NotAccessible;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.testing.ScriptedService;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.regions.Region;

/** What each behaviour of Secrets Manager means. */
class SecretsManagerSourceTest {
  private static final String CANARY = "canary-7f3a";
  private static final String ID = "lokryn/ducklake/config";
  private static final Patience SHORT =
      new Patience(
          Duration.ofSeconds(1),
          Duration.ofSeconds(20),
          Duration.ofSeconds(20),
          Duration.ofMillis(10),
          3);

  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
  private final Logger ours = (Logger) LoggerFactory.getLogger("com.lokryn.ducklake");

  @BeforeEach
  void listen() {
    log.start();
    root.addAppender(log);
    ours.setLevel(Level.DEBUG);
  }

  @AfterEach
  void nothingOfTheSecretWasLogged() {
    root.detachAppender(log);
    ours.setLevel(null);
    assertThat(log.list)
        .noneMatch(event -> event.getFormattedMessage().contains(CANARY))
        .noneMatch(
            event ->
                event.getThrowableProxy() != null
                    && ThrowableProxyUtil.asString(event.getThrowableProxy()).contains(CANARY));
  }

  @Test
  void givesTheTextOfASecret() {
    try (var service = answering(200, "{\"SecretString\": \"{\\\"a\\\": \\\"canary-7f3a\\\"}\"}")) {
      Answer answer = read(service.endpoint());
      assertThat(answer)
          .isInstanceOfSatisfying(
              Found.class,
              found -> assertThat(found.text().reveal()).isEqualTo("{\"a\": \"canary-7f3a\"}"));
      assertThat(answer.toString()).doesNotContain(CANARY);
    }
  }

  @Test
  void tellsASecretOfBytes() {
    try (var service = answering(200, "{\"SecretBinary\": \"Y2FuYXJ5\"}")) {
      assertThat(read(service.endpoint())).isInstanceOf(Binary.class);
    }
  }

  @Test
  void whatIsNotThereIsAbsent() {
    String message = "Secrets Manager can't find the specified secret.";
    try (var service = refusing(400, "ResourceNotFoundException", message)) {
      assertThat(read(service.endpoint()))
          .isInstanceOfSatisfying(
              Absent.class,
              answer -> {
                assertThat(answer.reason()).isEqualTo("ResourceNotFoundException: " + message);
                assertThat(answer.remedy()).contains("create the secret in eu-west-1");
              });
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "AccessDeniedException | User: arn:aws:iam::1:x is not authorized to perform:"
            + " secretsmanager:GetSecretValue on resource: lokryn/ducklake/config because no | add"
            + " secretsmanager:GetSecretValue on"
            + " arn:aws:secretsmanager:eu-west-1:*:secret:lokryn/ducklake/config-??????",
        "AccessDeniedException | Access to KMS is not allowed | add kms:Decrypt",
        "InvalidRequestException | it was marked for deletion | restore the secret",
        "DecryptionFailure | no key | KMS key",
        "UnrecognizedClientException | The security token is invalid. | credentials are in force",
      })
  void whatMayNotBeReadIsNotAccessible(String code, String message, String remedy) {
    try (var service = refusing(400, code, message)) {
      assertThat(read(service.endpoint()))
          .isInstanceOfSatisfying(
              NotAccessible.class,
              answer -> {
                assertThat(answer.reason()).isEqualTo(code + ": " + message);
                assertThat(answer.remedy()).contains(remedy);
              });
      assertThat(service.requests()).hasSize(1);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "400, ThrottlingException, Rate exceeded",
    "500, InternalServiceError, An internal error",
    "503, ServiceUnavailable, Down",
  })
  void aServiceThatDoesNotWorkIsAskedAgainAndThenAFailure(int status, String code, String message) {
    try (var service = refusing(status, code, message)) {
      assertThat(read(service.endpoint()))
          .isInstanceOfSatisfying(
              Failed.class,
              failed -> {
                assertThat(failed.problem().kind()).isEqualTo(Kind.DEPENDENCY);
                assertThat(failed.problem().text()).contains(code + ": " + message);
              });
      assertThat(service.requests()).hasSize(3);
    }
  }

  @Test
  void aServiceThatRecoversIsRead() {
    try (var service =
        new ScriptedService(
            (number, _) ->
                number < 2
                    ? ScriptedService.Answer.json(500, "{\"__type\": \"InternalServiceError\"}")
                    : ScriptedService.Answer.json(200, "{\"SecretString\": \"{}\"}"))) {
      assertThat(read(service.endpoint())).isInstanceOf(Found.class);
    }
  }

  @Test
  void aNameThatIsNotTakenIsAFaultOfTheConfiguration() {
    try (var service = refusing(400, "ValidationException", "Invalid name.")) {
      assertThat(read(service.endpoint()))
          .isInstanceOfSatisfying(
              Failed.class,
              failed -> {
                assertThat(failed.problem().kind()).isEqualTo(Kind.CONFIGURATION);
                assertThat(failed.problem().sentence()).contains("DUCKLAKE_SECRET_ID");
              });
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{\"SecretString\": \"canary-7f3a", "canary-7f3a", "<html>canary-7f3a</html>"})
  void anAnswerThatCannotBeReadIsAFailure(String body) {
    try (var service = answering(200, body)) {
      assertThat(read(service.endpoint()))
          .isInstanceOfSatisfying(
              Failed.class,
              failed -> {
                assertThat(failed.problem().kind()).isEqualTo(Kind.DEPENDENCY);
                assertThat(failed.toString()).doesNotContain(CANARY);
              });
    }
  }

  @Test
  void aServiceThatDoesNotAnswerIsNotAccessible() {
    try (var service = ScriptedService.always(ScriptedService.Answer.none())) {
      assertThat(read(service.endpoint()))
          .isInstanceOfSatisfying(
              NotAccessible.class, answer -> assertThat(answer.remedy()).contains("VPC endpoint"));
      assertThat(service.requests()).hasSize(1);
    }
  }

  @Test
  void whereNobodyListensTheSecretIsNotAccessible() throws Exception {
    assertThat(read(closedPort()))
        .isInstanceOfSatisfying(
            NotAccessible.class, answer -> assertThat(answer.reason()).contains("refused"));
  }

  @Test
  void aHostThatIsNotKnownIsNotAccessible() {
    assertThat(read(URI.create("http://no-such-host.invalid:1"))).isInstanceOf(NotAccessible.class);
  }

  @Test
  void withoutCredentialsTheSecretIsNotAccessible() {
    var none =
        new AwsClients(
            () -> {
              throw SdkClientException.create("Unable to load credentials from any of them");
            },
            () -> Region.EU_WEST_1,
            Optional.of(URI.create("http://127.0.0.1:1")));
    assertThat(new SecretsManagerSource(none, SHORT).read(ID))
        .isInstanceOfSatisfying(
            NotAccessible.class, answer -> assertThat(answer.remedy()).contains("AWS_PROFILE"));
  }

  @Test
  void withoutARegionTheSecretIsNotAccessible() {
    var nowhere =
        new AwsClients(
            TestingClients.CREDENTIALS,
            () -> {
              throw SdkClientException.create("Unable to load region");
            },
            Optional.empty());
    assertThat(new SecretsManagerSource(nowhere, SHORT).read(ID))
        .isInstanceOfSatisfying(
            NotAccessible.class, answer -> assertThat(answer.remedy()).contains("AWS_REGION"));
  }

  @Test
  void lookingForCredentialsForEverIsCutShort() {
    var patience =
        new Patience(
            Duration.ofSeconds(1),
            Duration.ofMillis(500),
            Duration.ofSeconds(1),
            Duration.ofMillis(10),
            3);
    var slow =
        new AwsClients(
            TestingClients.CREDENTIALS,
            () -> {
              try {
                new java.util.concurrent.CountDownLatch(1).await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              return Region.EU_WEST_1;
            },
            Optional.empty());
    assertThat(new SecretsManagerSource(slow, patience).read(ID))
        .isInstanceOfSatisfying(
            NotAccessible.class, answer -> assertThat(answer.reason()).contains("500 ms"));
  }

  @Test
  void theRegionOfAnArnIsUsed() {
    try (var service = refusing(400, "AccessDeniedException", "no")) {
      String arn = "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a-AbCdEf";
      assertThat(new SecretsManagerSource(TestingClients.of(service.endpoint()), SHORT).read(arn))
          .isInstanceOfSatisfying(
              NotAccessible.class, answer -> assertThat(answer.remedy()).contains(" on " + arn));
    }
  }

  /** The whole way of a secret that is not right: printed lines, exception, log. */
  @Test
  void nothingOfABadSecretGetsOut() {
    var lines = new ArrayList<String>();
    String secret =
        "{\\\"postgres_user\\\": \\\"canary-7f3a\\\", \\\"postgres_password\\\": \\\"canary-7f3a\\\\n\\\","
            + " \\\"postgres_port\\\": \\\"canary-7f3a\\\", \\\"s3_bucket_url\\\": \\\"http://canary-7f3a\\\","
            + " \\\"aws_region\\\": {\\\"canary-7f3a\\\": 1}, \\\"postgres_sslmode\\\": \\\"canary-7f3a\\\"}";
    try (var service = answering(200, "{\"SecretString\": \"" + secret + "\"}")) {
      var source = new SecretsManagerSource(TestingClients.of(service.endpoint()), SHORT);
      new Cascade(source, Map.of(), lines::add).read(Map.of(), Optional.empty());
      throw new AssertionError("it was taken");
    } catch (ConfigException | StartException e) {
      var trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      assertThat(trace.toString())
          .doesNotContain(CANARY)
          .contains(
              List.of(
                  "postgres_password (from the secret lokryn/ducklake/config)",
                  "postgres_port",
                  "postgres_sslmode",
                  "s3_bucket_url",
                  "aws_region",
                  "lacks postgres_db"));
      assertThat(lines).noneMatch(line -> line.contains(CANARY));
    }
  }

  private static Answer read(URI endpoint) {
    try (var clients = TestingClients.of(endpoint)) {
      return new SecretsManagerSource(clients, SHORT).read(ID);
    }
  }

  private static ScriptedService answering(int status, String body) {
    return ScriptedService.always(ScriptedService.Answer.json(status, body));
  }

  private static ScriptedService refusing(int status, String code, String message) {
    return answering(status, "{\"__type\": \"%s\", \"message\": \"%s\"}".formatted(code, message));
  }

  private static URI closedPort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return URI.create("http://127.0.0.1:" + socket.getLocalPort());
    }
  }
}
