package com.lokryn.ducklake.aws;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.config.Cascade;
import com.lokryn.ducklake.config.SecretSource.Absent;
import com.lokryn.ducklake.config.SecretSource.Answer;
import com.lokryn.ducklake.config.SecretSource.Binary;
import com.lokryn.ducklake.config.SecretSource.Found;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.testing.TestingAws;
import java.util.ArrayList;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

/** Secrets of a Secrets Manager, found by each of their names. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SecretsManagerIT {
  private static final String ID = "lokryn/ducklake/config";
  private static final String JSON =
      """
      {"postgres_user": "u", "postgres_password": "p'\\"\\\\; ", "postgres_db": "d",
       "postgres_port": 6543, "s3_bucket_url": "s3://bucket", "aws_region": "us-west-2"}
      """;

  private final TestingAws aws = TestingAws.start();
  private final AwsClients clients = TestingClients.of(aws.endpoint());
  private String arn = "";

  @BeforeAll
  void createSecrets() {
    try (var here = client(TestingClients.REGION);
        var elsewhere = client("us-west-2")) {
      arn = here.createSecret(request -> request.name(ID).secretString(JSON)).arn();
      here.createSecret(
          request -> request.name("binary").secretBinary(SdkBytes.fromUtf8String(JSON)));
      elsewhere.createSecret(request -> request.name("elsewhere").secretString("{}"));
    }
  }

  @AfterAll
  void stop() {
    clients.close();
    aws.close();
  }

  @Test
  void aSecretIsFoundByItsName() {
    assertFound(read(ID));
  }

  @Test
  void aSecretIsFoundByItsArn() {
    assertThat(arn).matches(".*-\\w{6}");
    assertFound(read(arn));
  }

  @Test
  void aSecretIsFoundByItsArnWithoutTheSuffix() {
    assertFound(read(arn.substring(0, arn.length() - 7)));
  }

  @Test
  void anArnNamesTheRegion() {
    assertThat(read("elsewhere")).isInstanceOf(Absent.class);
    assertThat(read("arn:aws:secretsmanager:us-west-2:123456789012:secret:elsewhere"))
        .isInstanceOf(Found.class);
  }

  @Test
  void aSecretOfBytesIsTold() {
    assertThat(read("binary")).isInstanceOf(Binary.class);
  }

  @Test
  void aSecretThatIsNotThereIsAbsent() {
    assertThat(read("none"))
        .isInstanceOfSatisfying(
            Absent.class,
            answer -> assertThat(answer.reason()).startsWith("ResourceNotFoundException: "));
  }

  @Test
  void theConfigurationOfAServerComesFromIt() throws Exception {
    var lines = new ArrayList<String>();
    ServerConfig config =
        new Cascade(new SecretsManagerSource(clients), Map.of(), lines::add)
            .read(Map.of(), Optional.empty());
    assertThat(config.get(Settings.POSTGRES_PASSWORD).reveal()).isEqualTo("p'\"\\; ");
    assertThat(config.get(Settings.POSTGRES_PORT)).isEqualTo(6543);
    assertThat(config.get(Settings.S3_BUCKET_URL).url()).isEqualTo("s3://bucket/data/");
    assertThat(lines)
        .containsExactly(
            "Attempting to load config from Secrets Manager...",
            "✓ Configuration loaded from Secrets Manager");
  }

  private Answer read(String id) {
    return new SecretsManagerSource(clients).read(id);
  }

  private static void assertFound(Answer answer) {
    assertThat(answer)
        .isInstanceOfSatisfying(
            Found.class, found -> assertThat(found.text().reveal()).isEqualTo(JSON));
  }

  private SecretsManagerClient client(String region) {
    return clients.secretsManager(Region.of(region), ClientOverrideConfiguration.builder().build());
  }
}
