package com.lokryn.ducklake.aws;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.config.S3Location;
import com.lokryn.ducklake.config.SecretSource.NotAccessible;
import com.lokryn.ducklake.testing.ScriptedService;
import java.net.URI;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The SDK's own settings; its system properties are those of its variables. */
class AwsClientsTest {
  private static final Map<String, String> PROCESS =
      Map.of(
          "aws.accessKeyId", "AKIAPROCESS",
          "aws.secretAccessKey", "canary-7f3a",
          "aws.region", "eu-west-1");

  @Test
  void withoutAnEndpointS3IsAws() {
    try (var clients = AwsClients.ofProcess()) {
      assertThat(clients.s3Endpoint()).isEmpty();
    }
  }

  @Test
  void anEndpointOfTheProcessIsUsedByAllServices() throws Exception {
    try (var service =
        ScriptedService.always(ScriptedService.Answer.json(400, "{\"__type\":\"AccessDenied\"}"))) {
      with("aws.endpointUrl", service.endpoint().toString())
          .run(
              clients -> {
                assertThat(clients.s3Endpoint()).contains(service.endpoint());
                assertThat(clients.ownRegion()).contains("eu-west-1");
                assertThat(new SecretsManagerSource(clients).read("a"))
                    .isInstanceOf(NotAccessible.class);
                writeTest(clients, "abc");
              });
      assertThat(service.requests()).containsExactly("POST /", "PUT /abc/d/.keep");
    }
  }

  @Test
  void anEndpointOfOneServiceGoesFirst() throws Exception {
    with("aws.endpointUrlS3", "http://localhost:1")
        .and("aws.endpointUrl", "http://127.0.0.1:2")
        .run(
            clients -> assertThat(clients.s3Endpoint()).contains(URI.create("http://localhost:1")));
  }

  /** Without it the bucket would be looked for at my-bucket.localhost. */
  @Test
  void bucketsArePartsOfThePathAtAnEndpoint() throws Exception {
    try (var service = ScriptedService.always(ScriptedService.Answer.xml(403, ""))) {
      with("aws.endpointUrlS3", "http://localhost:" + service.endpoint().getPort())
          .run(
              clients -> {
                writeTest(clients, "my-bucket");
              });
      assertThat(service.requests()).containsExactly("PUT /my-bucket/d/.keep");
    }
  }

  private static void writeTest(AwsClients clients, String bucket) {
    try (var checks =
        new S3Checks(clients, new S3Location(bucket, "d/"), "eu-west-1", InstantSource.system())) {
      assertThat(checks.writeTest().isOk()).isFalse();
    }
  }

  private static Given with(String property, String value) {
    return new Given(new HashMap<>(PROCESS)).and(property, value);
  }

  /** A process with these properties. */
  private record Given(Map<String, String> properties) {
    Given and(String property, String value) {
      properties.put(property, value);
      return this;
    }

    void run(Consumer<AwsClients> work) {
      properties.forEach(System::setProperty);
      try (var clients = AwsClients.ofProcess()) {
        work.accept(clients);
      } finally {
        properties.keySet().forEach(System::clearProperty);
      }
    }
  }
}
