package com.lokryn.ducklake.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.lokryn.ducklake.aws.MarketplaceRegistration.Patience;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.testing.MeteringService;
import com.lokryn.ducklake.testing.MeteringService.Cut;
import com.lokryn.ducklake.testing.MeteringService.Failure;
import com.lokryn.ducklake.testing.MeteringService.Hang;
import com.lokryn.ducklake.testing.MeteringService.Request;
import com.lokryn.ducklake.testing.MeteringService.Signed;
import com.lokryn.ducklake.testing.MeteringService.Token;
import com.lokryn.ducklake.testing.TestingClock;
import java.net.URI;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.regions.Region;

/** Against a service that speaks the real protocol. */
class MarketplaceRegistrationTest {
  private static final String PRODUCT = "product-code-1";
  private static final String REFUSED = "words of the service";

  private final MeteringService service = new MeteringService();
  private final TestingClock clock = new TestingClock("2026-03-01T10:00:00Z");
  private final List<Duration> pauses = new ArrayList<>();

  @AfterEach
  void stop() {
    service.close();
  }

  @Test
  void asksOnceInTheRegionOfTheProcess() throws Exception {
    registration(service.endpoint()).register();
    assertThat(service.requests()).hasSize(1);
    Request request = service.requests().getFirst();
    assertThat(request.action()).isEqualTo("RegisterUsage");
    assertThat(request.region()).isEqualTo(TestingClients.REGION);
    assertThat(request.body().path("ProductCode").asText()).isEqualTo(PRODUCT);
    assertThat(request.body().path("PublicKeyVersion").asInt()).isEqualTo(3);
    assertThat(request.body().path("Nonce").asText()).hasSize(36);
  }

  @Test
  void takesANonceForEachStart() throws Exception {
    registration(service.endpoint()).register();
    registration(service.endpoint()).register();
    assertThat(service.requests())
        .extracting(request -> request.body().path("Nonce").asText())
        .doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "400|CustomerNotEntitledException|DEPENDENCY|subscribe to the product",
        "400|CustomerNotSubscribedException|DEPENDENCY|subscribe to the product",
        "400|PlatformNotSupportedException|DEPENDENCY|serve --local",
        "400|InvalidProductCodeException|CONFIGURATION|set marketplace_product_code",
        "400|InvalidPublicKeyVersionException|CONFIGURATION|set marketplace_public_key_version",
        "400|InvalidRegionException|CONFIGURATION|AWS_REGION",
        "400|DisabledApiException|DEPENDENCY|region that has aws-marketplace:RegisterUsage",
        "400|AccessDeniedException|PERMISSION|add aws-marketplace:RegisterUsage on *",
        "403|SomethingDenied|PERMISSION|add aws-marketplace:RegisterUsage on *",
        "400|UnrecognizedClientException|PERMISSION|credentials are in force",
        "400|ExpiredTokenException|PERMISSION|credentials are in force",
        "400|InvalidSignatureException|PERMISSION|credentials are in force",
        "400|ValidationException|DEPENDENCY|see what aws-marketplace:RegisterUsage refuses",
      })
  void saysWhatIsWrongAndAsksNoMore(int status, String type, Kind kind, String remedy) {
    service.always(new Failure(status, type, REFUSED));
    StartProblem problem = refused(registration(service.endpoint()));
    assertThat(problem.kind()).isEqualTo(kind);
    assertThat(problem.text())
        .isEqualTo("AWS Marketplace registration failed: %s: %s".formatted(type, REFUSED));
    assertThat(problem.remedy()).contains(remedy);
    assertThat(service.requests()).hasSize(1);
  }

  @Test
  void namesTheClockWhenASignatureIsOfAnotherTime() {
    service.always(
        new Failure(
            400,
            "InvalidSignatureException",
            "Signature expired: 20260301T090000Z is now earlier than 20260301T095500Z"));
    StartProblem problem = refused(registration(service.endpoint()));
    assertThat(problem.kind()).isEqualTo(Kind.CONFIGURATION);
    assertThat(problem.remedy()).contains("clock");
  }

  @ParameterizedTest
  @CsvSource({
    "400,ThrottlingException",
    "500,InternalServiceErrorException",
    "503,ServiceUnavailable"
  })
  void triesAgainWhatPasses(int status, String type) throws Exception {
    var passing = new Failure(status, type, REFUSED);
    service.next(passing, passing, passing, passing);
    registration(service.endpoint()).register();
    assertThat(service.requests()).hasSize(5);
    assertThat(service.requests())
        .extracting(request -> request.body().path("Nonce").asText())
        .containsOnly(service.requests().getFirst().body().path("Nonce").asText());
    assertThat(pauses).hasSize(4);
  }

  @Test
  void triesAgainWhenAConnectionIsCut() throws Exception {
    service.next(new Cut(), new Cut());
    registration(service.endpoint()).register();
    assertThat(pauses).isNotEmpty();
  }

  @Test
  void triesAgainWhenNoAnswerComes() throws Exception {
    service.next(new Hang());
    registration(service.endpoint(), Duration.ofMillis(300)).register();
    assertThat(service.requests()).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource({"400,ThrottlingException", "500,InternalServiceErrorException"})
  void givesUpAfterAMinute(int status, String type) {
    service.always(new Failure(status, type, REFUSED));
    Instant began = clock.instant();
    StartProblem problem = refused(registration(service.endpoint()));
    assertThat(problem.kind()).isEqualTo(Kind.DEPENDENCY);
    assertThat(problem.text()).contains(type, REFUSED);
    assertThat(problem.remedy()).contains("later");
    assertThat(Duration.between(began, clock.instant()))
        .isBetween(Duration.ofSeconds(45), Duration.ofSeconds(60));
    assertThat(pauses)
        .allMatch(pause -> pause.compareTo(Duration.ofSeconds(10)) <= 0)
        .anyMatch(pause -> pause.compareTo(Duration.ofSeconds(5)) > 0);
    assertThat(pauses.getFirst()).isLessThanOrEqualTo(Duration.ofSeconds(1));
  }

  @Test
  void saysWhenNobodyListens() {
    StartProblem problem = refused(registration(URI.create("http://127.0.0.1:1")));
    assertThat(problem.kind()).isEqualTo(Kind.DEPENDENCY);
    assertThat(problem.text()).contains("Connection refused");
    assertThat(problem.remedy()).contains("metering.marketplace.eu-west-1", "VPC endpoint");
    assertThat(pauses).isNotEmpty();
  }

  @Test
  void saysWhenTheRegionIsNotKnown() {
    AwsClients nowhere =
        new AwsClients(TestingClients.CREDENTIALS, () -> null, Optional.of(service.endpoint()));
    StartProblem problem = refused(registration(nowhere, Optional.empty(), Duration.ofSeconds(5)));
    assertThat(problem.kind()).isEqualTo(Kind.CONFIGURATION);
    assertThat(problem.remedy()).contains("AWS_REGION");
    assertThat(service.requests()).isEmpty();
  }

  @Test
  void saysWhenThereAreNoCredentials() {
    AwsCredentialsProvider none =
        () -> {
          throw SdkClientException.create("Unable to load credentials from any of the providers");
        };
    AwsClients nobody =
        new AwsClients(none, () -> Region.EU_WEST_1, Optional.of(service.endpoint()));
    StartProblem problem = refused(registration(nobody, Optional.empty(), Duration.ofSeconds(5)));
    assertThat(problem.kind()).isEqualTo(Kind.PERMISSION);
    assertThat(problem.text()).contains("no AWS credentials");
    assertThat(pauses).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      value = Token.class,
      names = {"RIGHT", "LOWER_CASE", "VERSION_AS_TEXT", "ROTATED_KEY"})
  void trustsWhatTheProductsKeySigned(Token token) throws Exception {
    service.always(new Signed(token));
    verifying().register();
    assertThat(service.requests()).hasSize(1);
  }

  @ParameterizedTest
  @EnumSource(
      value = Token.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"RIGHT", "LOWER_CASE", "VERSION_AS_TEXT", "ROTATED_KEY"})
  void refusesEverythingElse(Token token) {
    service.always(new Signed(token));
    StartProblem problem = refused(verifying());
    assertThat(problem.kind()).isEqualTo(Kind.DEPENDENCY);
    assertThat(problem.text())
        .contains("not to be trusted")
        .contains(
            switch (token) {
              case OTHER_NONCE, NO_NONCE -> "another request";
              case OTHER_PRODUCT, BOTH_SPELLINGS -> "another product";
              case OTHER_VERSION, VERSION_AS_FRACTION -> "another version";
              case OTHER_KEY, CHANGED_PAYLOAD -> "signature is not one of";
              case ALGORITHM_HS256, ALGORITHM_RS256 -> "not signed by PS256";
              case TOO_LONG -> "longer";
              default -> "JSON Web Token";
            });
    assertThat(problem.remedy()).contains("marketplace_public_key");
    assertThat(service.requests()).hasSize(1);
  }

  @Test
  void triesItOutWithoutRegistering() throws Exception {
    assertThat(registration(service.endpoint()).tryOut()).isEmpty();
    assertThat(service.requests()).hasSize(1);
    assertThat(service.requests().getFirst().body().path("PublicKeyVersion").asInt())
        .isEqualTo(Integer.MAX_VALUE);
  }

  @ParameterizedTest
  @CsvSource({
    "400,AccessDeniedException,PERMISSION",
    "400,CustomerNotEntitledException,DEPENDENCY",
    "400,ThrottlingException,DEPENDENCY"
  })
  void saysWhatIsWrongWhenTried(int status, String type, Kind kind) throws Exception {
    service.always(new Failure(status, type, REFUSED));
    Optional<StartProblem> problem = registration(service.endpoint()).tryOut();
    assertThat(problem.orElseThrow().kind()).isEqualTo(kind);
    assertThat(problem.orElseThrow().text()).contains(type, REFUSED);
    assertThat(service.requests()).hasSize(1);
  }

  private MarketplaceRegistration registration(URI endpoint) {
    return registration(endpoint, Duration.ofSeconds(10));
  }

  private MarketplaceRegistration registration(URI endpoint, Duration attempt) {
    return registration(TestingClients.of(endpoint), Optional.empty(), attempt);
  }

  private MarketplaceRegistration verifying() {
    return registration(
        TestingClients.of(service.endpoint()),
        Optional.of(MeteringService.publicKey()),
        Duration.ofSeconds(10));
  }

  private MarketplaceRegistration registration(
      AwsClients clients, Optional<RSAPublicKey> key, Duration attempt) {
    var usual = Patience.usual(new Random(7));
    return new MarketplaceRegistration(
        clients,
        new MarketplaceProduct(PRODUCT, 3, key),
        new Patience(attempt, usual.backoff(), usual.all()),
        clock,
        pause -> {
          pauses.add(pause);
          clock.advance(pause);
        });
  }

  private static StartProblem refused(MarketplaceRegistration registration) {
    var thrown = new ArrayList<StartException>();
    assertThatThrownBy(registration::register)
        .isInstanceOfSatisfying(StartException.class, thrown::add);
    return thrown.getFirst().problem();
  }
}
