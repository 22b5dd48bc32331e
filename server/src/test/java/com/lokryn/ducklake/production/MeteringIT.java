package com.lokryn.ducklake.production;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.testing.MeteringService;
import com.lokryn.ducklake.testing.MeteringService.Failure;
import com.lokryn.ducklake.testing.MeteringService.Signed;
import com.lokryn.ducklake.testing.MeteringService.Token;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingProcess;
import com.lokryn.ducklake.testing.TestingProduction;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code serve} and AWS Marketplace, as operators and sellers see it. */
class MeteringIT {
  private static final String PRODUCT = "product-code-1";
  private static final String REGISTERED = "✓ AWS Marketplace registration successful";

  private static TestingProduction production;

  private final MeteringService service = new MeteringService();

  @BeforeAll
  static void start() {
    production = new TestingProduction();
  }

  @AfterAll
  static void stop() {
    production.close();
  }

  @AfterEach
  void stopService() {
    service.close();
  }

  @Test
  void registersOnceBeforeItListens() {
    Map<String, String> environment = environment();
    environment.put("MARKETPLACE_PUBLIC_KEY", MeteringService.publicKeyPem());
    environment.put("MARKETPLACE_PUBLIC_KEY_VERSION", "3");
    try (var server = serve(environment).listening()) {
      int line = server.lines().indexOf(REGISTERED);
      assertThat(line).isPositive();
      assertThat(server.lines().get(line - 1)).startsWith("✓ Configuration loaded");
      assertThat(server.lines().get(line + 1)).startsWith("✓ S3 write test passed");
      assertThat(service.requests()).hasSize(1);
      assertThat(service.requests().getFirst().region()).isEqualTo("us-east-1");
      assertThat(service.requests().getFirst().body().path("PublicKeyVersion").asInt())
          .isEqualTo(3);
      assertThat(String.join("\n", server.errors())).doesNotContain("not verified");
    }
  }

  @Test
  void saysThatNothingIsVerifiedWithoutTheKey() {
    try (var server = serve(environment()).listening()) {
      assertThat(server.lines()).contains(REGISTERED);
      assertThat(server.errors())
          .anyMatch(line -> line.contains("not verified: marketplace_public_key is not set"));
    }
  }

  @Test
  void asksNothingWithoutAProduct() {
    Map<String, String> environment = environment();
    environment.remove("MARKETPLACE_PRODUCT_CODE");
    try (var server = serve(environment).listening()) {
      assertThat(server.lines())
          .contains("  AWS Marketplace metering is off: marketplace_product_code is not set")
          .doesNotContain(REGISTERED);
      assertThat(server.terminate()).isZero();
    }
    assertThat(service.requests()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "400,AccessDeniedException,77,aws-marketplace:RegisterUsage",
    "400,InvalidProductCodeException,78,marketplace_product_code",
    "400,CustomerNotEntitledException,69,subscribe"
  })
  void doesNotStartWithoutEntitlement(int status, String type, int code, String remedy) {
    service.always(new Failure(status, type, "words of the service"));
    assertRefused(environment(), code, type + ": words of the service; ", remedy);
  }

  @Test
  void doesNotStartOnAWrongSignature() {
    service.always(new Signed(Token.OTHER_KEY));
    Map<String, String> environment = environment();
    environment.put("MARKETPLACE_PUBLIC_KEY", MeteringService.publicKeyPem());
    assertRefused(environment, 69, "not to be trusted", "marketplace_public_key");
  }

  @Test
  void sendsTheLastHourWhenItIsTerminated() throws Exception {
    try (var server = serve(usageEnvironment("drained")).listening()) {
      work(server, 2);
      assertThat(server.terminate()).isZero();
    }
    assertThat(service.total("drained")).isBetween(2, 20);
    assertThat(service.requests(MeteringService.METER)).hasSize(1);
  }

  @Test
  void sendsOnceWhatAKilledProcessHadCounted() throws Exception {
    Map<String, String> environment = usageEnvironment("killed");
    String lake = environment.get("POSTGRES_DB");
    try (var server = serve(environment).listening()) {
      work(server, 2);
      // What is counted is written once a minute; the test does not wait for that.
      server.kill();
    }
    // As the killed process would have written it after that minute.
    production
        .postgres()
        .run(
            lake,
            "UPDATE public.ducklake_flight_usage SET parts = parts + 5000000000 WHERE state = 'open'");
    try (var server = serve(environment).listening()) {
      assertThat(server.terminate()).isZero();
    }
    assertThat(service.requests(MeteringService.METER)).hasSize(1);
    assertThat(service.total("killed")).isBetween(5, 7);
    try (var server = serve(environment).listening()) {
      assertThat(server.terminate()).isZero();
    }
    assertThat(service.total("killed")).isBetween(5, 7);
  }

  /** Has the engine work for about that time, or more. */
  private static void work(TestingProcess server, int seconds) throws Exception {
    try (var client = new TestingClient(server.port())) {
      long end = System.nanoTime() + seconds * 1_100_000_000L;
      for (int i = 0; System.nanoTime() < end; i++) {
        // Another one each time, or the server would have its result.
        client.rows("SELECT sum(sqrt(i)), %d FROM range(200_000_000) r(i)".formatted(i));
      }
    }
  }

  private Map<String, String> usageEnvironment(String dimension) {
    Map<String, String> environment = environment();
    environment.put("MARKETPLACE_USAGE_DIMENSION", dimension);
    environment.put("MARKETPLACE_USAGE_UNIT", "query_seconds");
    return environment;
  }

  private static void assertRefused(
      Map<String, String> environment, int code, String reason, String remedy) {
    try (var server = serve(environment)) {
      assertThat(server.exitCode()).isEqualTo(code);
      assertThat(server.lines()).noneMatch(line -> line.contains("S3") || line.contains("listen"));
      List<String> failures =
          server.errors().stream().filter(line -> line.startsWith("✗")).toList();
      assertThat(failures).hasSize(1);
      assertThat(failures.getFirst())
          .startsWith("✗ AWS Marketplace registration failed: ")
          .contains(reason, remedy);
    }
  }

  private Map<String, String> environment() {
    Map<String, String> environment = production.environment(production.newLake());
    environment.put("MARKETPLACE_PRODUCT_CODE", PRODUCT);
    environment.put("AWS_ENDPOINT_URL_MARKETPLACE_METERING", service.endpoint().toString());
    return environment;
  }

  private static TestingProcess serve(Map<String, String> environment) {
    return TestingProcess.start(environment, "serve", "--host", "127.0.0.1", "--port", "0");
  }
}
