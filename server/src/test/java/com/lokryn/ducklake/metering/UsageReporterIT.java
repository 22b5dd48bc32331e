package com.lokryn.ducklake.metering;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.aws.AwsClients;
import com.lokryn.ducklake.aws.Backoff;
import com.lokryn.ducklake.aws.MarketplaceProduct;
import com.lokryn.ducklake.aws.MarketplaceUsage;
import com.lokryn.ducklake.config.S3Location;
import com.lokryn.ducklake.config.SecretText;
import com.lokryn.ducklake.config.Settings.UsageUnit;
import com.lokryn.ducklake.engine.EngineOptions;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.lake.LakeCatalog;
import com.lokryn.ducklake.lake.LakeEngine;
import com.lokryn.ducklake.lake.ObjectStore;
import com.lokryn.ducklake.lake.PostgresCatalog;
import com.lokryn.ducklake.lake.RemoteLake;
import com.lokryn.ducklake.lake.StorageKeys;
import com.lokryn.ducklake.observe.CheckId;
import com.lokryn.ducklake.observe.Counts;
import com.lokryn.ducklake.observe.MeteringResult;
import com.lokryn.ducklake.observe.Readiness;
import com.lokryn.ducklake.testing.MeteringService;
import com.lokryn.ducklake.testing.MeteringService.Cut;
import com.lokryn.ducklake.testing.MeteringService.CutAfterwards;
import com.lokryn.ducklake.testing.MeteringService.Failure;
import com.lokryn.ducklake.testing.MeteringService.Request;
import com.lokryn.ducklake.testing.MeteringService.Usual;
import com.lokryn.ducklake.testing.TestingClock;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingPostgres;
import com.lokryn.ducklake.testing.TestingProxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;

/** Hours that a test makes pass, a real Postgres, and a service that speaks the real protocol. */
class UsageReporterIT {
  private static final String LAKE = "usage";
  private static final long SECOND = 1_000_000_000;
  private static final AtomicInteger NEXT = new AtomicInteger();

  private static TestingPostgres postgres;
  private static TestingProxy proxy;
  private static LakeEngine engine;

  private final TestingClock clock = new TestingClock("2026-03-01T10:05:00Z");
  private final MeteringService service = new MeteringService(clock);

  /** A meter for each test: none sees another's rows. */
  private final Meter meter =
      new Meter("product", "seconds-" + NEXT.incrementAndGet(), UsageUnit.QUERY_SECONDS);

  private final Set<Long> alive = ConcurrentHashMap.newKeySet();

  @BeforeAll
  static void start() throws Exception {
    postgres = TestingPostgres.start();
    postgres.create(LAKE);
    proxy = TestingProxy.to(postgres.port());
    var lake =
        new RemoteLake(
            new PostgresCatalog(
                "127.0.0.1",
                proxy.port(),
                LAKE,
                TestingPostgres.USER,
                new SecretText(TestingPostgres.PASSWORD),
                "disable",
                20),
            new ObjectStore(new S3Location("usage", "data/"), "us-east-1", Optional.empty()),
            new StorageKeys("none", new SecretText("none"), Optional.empty()));
    engine =
        new LakeEngine(
            new EngineOptions(
                1,
                512L << 20,
                Path.of(System.getProperty("java.io.tmpdir"), "usage-spill"),
                0,
                TestingLakeServer.extensions().directory()),
            new LakeCatalog(lake, TestingLakeServer.extensions()),
            new RootAllocator(),
            _ -> {},
            () -> {});
    engine.open();
  }

  @AfterAll
  static void stop() {
    engine.close();
    proxy.close();
    postgres.close();
  }

  @AfterEach
  void stopService() {
    service.close();
  }

  /** One run of the program, which counts as it is told. */
  private final class Run {
    private final AtomicLong count = new AtomicLong();
    private final Readiness readiness = new Readiness();
    private final Counts<MeteringResult> results = new Counts<>(MeteringResult.class);
    private final UsageReporter reporter;

    Run(String process, String place, long pid) {
      alive.add(pid);
      var clients =
          new AwsClients(
              StaticCredentialsProvider.create(AwsBasicCredentials.create(place, "secret")),
              () -> Region.US_EAST_1,
              Optional.of(service.endpoint()));
      reporter =
          new UsageReporter(
              new UsageLedger(
                  () -> engine.connect(new Namespace("memory", "main")),
                  meter,
                  new Owner(process + meter.dimension(), place, pid),
                  Duration.ofMinutes(10),
                  alive::contains),
              new MarketplaceUsage(clients, new MarketplaceProduct("product", 1, Optional.empty())),
              meter,
              count::get,
              clock,
              UsageReporter.Timing.USUAL,
              new Backoff(Duration.ofSeconds(2), Duration.ofMinutes(2), new Random(7)),
              readiness,
              results);
    }

    Duration use(double seconds) throws InterruptedException {
      count.addAndGet((long) (seconds * SECOND));
      return reporter.step();
    }

    Duration at(String time) throws InterruptedException {
      clock.set("2026-03-01T" + time + "Z");
      return reporter.step();
    }

    void finish() throws InterruptedException {
      reporter.finish();
    }

    String state() {
      return readiness.state().conditions().stream()
          .filter(condition -> condition.check() == CheckId.METERING_USAGE)
          .map(Readiness.Condition::detail)
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  void sendsTheWholeUnitsOfAnHourOnceAndCarriesTheRest() throws Exception {
    var run = new Run("a", "here", 1);
    assertThat(run.use(1.6)).isEqualTo(Duration.ofMinutes(1));
    run.use(1.0);
    assertThat(run.at("10:59:30")).isEqualTo(Duration.ofSeconds(30));
    assertThat(sent()).isEmpty();
    run.at("11:00:00");
    run.at("11:01:00");
    run.use(0.4);
    run.at("12:00:00");
    run.at("13:00:00");
    assertThat(sent()).containsExactly("10:2", "11:1");
    assertThat(run.state()).isEqualTo("ok");
    assertThat(run.results.of(MeteringResult.ACCEPTED)).isEqualTo(2);
    assertThat(total()).isEqualTo(3);
  }

  @Test
  void repeatsTheSameRecordAfterALostAnswer() throws Exception {
    var run = new Run("a", "here", 1);
    run.use(5);
    service.next(new CutAfterwards(), new CutAfterwards(), new CutAfterwards());
    run.at("11:00:00");
    assertThat(run.state()).contains("does not take usage records at the moment");
    run.use(3);
    run.at("11:03:00");
    run.at("11:06:00");
    run.at("11:09:00");
    assertThat(Set.copyOf(sent())).containsExactly("10:5");
    assertThat(run.state()).isEqualTo("ok");
    run.at("12:00:00");
    assertThat(total()).isEqualTo(8);
  }

  @ParameterizedTest
  @CsvSource({"400,ThrottlingException", "500,InternalServiceErrorException"})
  void keepsWhatIsNotTakenAndTriesAgainLater(int status, String type) throws Exception {
    var run = new Run("a", "here", 1);
    run.use(5);
    service.always(new Failure(status, type, "canary"));
    assertThat(run.at("11:00:00")).isLessThanOrEqualTo(Duration.ofSeconds(2));
    assertThat(run.state()).doesNotContain("canary");
    assertThat(run.results.of(MeteringResult.UNAVAILABLE)).isPositive();
    for (int minute = 1; minute < 10; minute++) {
      assertThat(run.at("11:0%d:00".formatted(minute))).isLessThanOrEqualTo(Duration.ofMinutes(1));
    }
    service.always(new Usual());
    run.at("11:20:00");
    assertThat(total()).isEqualTo(5);
    assertThat(run.state()).isEqualTo("ok");
  }

  @ParameterizedTest
  @CsvSource({
    "AccessDeniedException",
    "InvalidUsageDimensionException",
    "InvalidProductCodeException",
    "CustomerNotEntitledException",
    "InvalidEndpointRegionException",
    "InvalidTagException",
    "InvalidUsageAllocationsException",
    "UnrecognizedClientException"
  })
  void keepsWhatIsRefusedAndAsksSeldom(String type) throws Exception {
    var run = new Run("a", "here", 1);
    run.use(5);
    service.always(new Failure(400, type, "canary"));
    run.at("11:00:00");
    assertThat(run.state()).contains("refuses").doesNotContain("canary");
    assertThat(run.results.of(MeteringResult.REFUSED)).isEqualTo(1);
    run.at("11:01:00");
    run.at("11:04:00");
    assertThat(sent()).hasSize(1);
    service.always(new Usual());
    run.at("11:05:00");
    assertThat(sent()).containsExactly("10:5", "10:5");
    assertThat(total()).isEqualTo(5);
  }

  @Test
  void addsToTheNextHourWhatMeetsAnotherRecord() throws Exception {
    var run = new Run("a", "here", 1);
    run.use(5);
    service.next(new Failure(400, "DuplicateRequestException", "there is another"));
    run.at("11:00:00");
    run.use(1);
    run.at("12:00:00");
    assertThat(sent()).containsExactly("10:5", "11:6");
    assertThat(run.results.of(MeteringResult.TAKEN)).isEqualTo(1);
    assertThat(total()).isEqualTo(6);
  }

  @Test
  void addsToThePresentHourWhatIsTooOld() throws Exception {
    var run = new Run("a", "here", 1);
    run.use(5);
    service.always(new Failure(400, "ThrottlingException", "slow down"));
    run.at("11:00:00");
    service.always(new Usual());
    run.at("16:30:00");
    run.at("17:00:00");
    assertThat(total()).isEqualTo(5);
    assertThat(service.records().keySet())
        .extracting(slot -> slot.hour().toString())
        .containsExactly("2026-03-01T16:00:00Z");
  }

  @Test
  void givesUpWhatIsTooOldAndMayBeRecorded() throws Exception {
    var run = new Run("a", "here", 1);
    run.use(5);
    service.always(new CutAfterwards());
    run.at("11:00:00");
    service.always(new Usual());
    run.at("16:30:00");
    run.at("17:00:00");
    assertThat(total()).isEqualTo(5);
  }

  @Test
  void sendsTheLastHourWhenItEndsAndNotAgainAfterARestart() throws Exception {
    var first = new Run("a", "here", 1);
    first.use(5.5);
    first.finish();
    assertThat(sent()).containsExactly("10:5");
    var second = new Run("b", "here", 2);
    second.use(5.5);
    second.at("11:00:00");
    assertThat(sent()).containsExactly("10:5");
    second.at("12:00:00");
    assertThat(sent()).containsExactly("10:5", "11:6");
    assertThat(total()).isEqualTo(11);
  }

  @Test
  void takesOverAtOnceWhatAKilledProcessLeftInThisPlace() throws Exception {
    new Run("a", "here", 1).use(5.5);
    var second = new Run("b", "here", 1);
    second.use(1);
    second.at("11:00:00");
    assertThat(sent()).containsExactly("10:6");
  }

  @Test
  void sendsTheSameAgainFromTheSamePlaceOnly() throws Exception {
    var first = new Run("a", "here", 1);
    first.use(5);
    service.next(new CutAfterwards(), new CutAfterwards());
    first.at("11:00:00");
    var elsewhere = new Run("b", "there", 7);
    clock.advance(Duration.ofMinutes(30));
    elsewhere.use(0);
    assertThat(service.records().keySet())
        .extracting(MeteringService.Slot::accessKey)
        .containsOnly("here");
    new Run("c", "here", 1).use(0);
    assertThat(Set.copyOf(sent())).containsExactly("10:5");
    elsewhere.at("18:00:00");
    elsewhere.at("19:00:00");
    assertThat(total()).isEqualTo(5);
  }

  @Test
  void oneOfSeveralTakesOverWhatAProcessLeftElsewhere() throws Exception {
    var gone = new Run("a", "here", 1);
    gone.use(7);
    service.next(new Failure(400, "ThrottlingException", "slow down"));
    gone.at("11:00:00");
    gone.use(2);
    var runs = List.of(new Run("b", "there", 7), new Run("c", "over there", 8));
    for (Run run : runs) {
      run.use(0);
    }
    clock.set("2026-03-01T11:20:00Z");
    var threads =
        runs.stream()
            .map(
                run ->
                    Thread.ofPlatform()
                        .start(
                            () -> {
                              try {
                                run.use(0);
                              } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                              }
                            }))
            .toList();
    for (Thread thread : threads) {
      thread.join();
    }
    // It was not gone, only silent: it goes on from what it had counted.
    gone.use(1);
    for (Run run : runs) {
      run.at("12:00:00");
    }
    gone.at("12:00:00");
    for (Run run : runs) {
      run.at("13:00:00");
    }
    gone.at("13:00:00");
    assertThat(total()).isEqualTo(10);
  }

  @Test
  void keepsCountsInMemoryWhilePostgresIsAway() throws Exception {
    var run = new Run("a", "here", 1);
    run.use(2);
    proxy.set(TestingProxy.Mode.REFUSE);
    try {
      assertThat(run.use(3)).isEqualTo(Duration.ofSeconds(10));
      assertThat(run.state()).contains("cannot be written to the catalog");
    } finally {
      proxy.set(TestingProxy.Mode.PASS);
    }
    run.use(1);
    run.at("11:00:00");
    assertThat(total()).isEqualTo(6);
    assertThat(run.state()).isEqualTo("ok");
  }

  @Test
  void nothingIsSentWhereNothingWasUsed() throws Exception {
    var run = new Run("a", "here", 1);
    run.use(0.9);
    run.at("11:00:00");
    run.at("12:00:00");
    run.finish();
    assertThat(sent()).isEmpty();
  }

  @Test
  void cutBeforeItArrivedIsSentAgain() throws Exception {
    var run = new Run("a", "here", 1);
    run.use(4);
    service.next(new Cut(), new Cut(), new Cut());
    run.at("11:00:00");
    run.at("11:10:00");
    run.at("11:20:00");
    run.at("11:30:00");
    assertThat(total()).isEqualTo(4);
  }

  private int total() {
    return service.total(meter.dimension());
  }

  /** What was sent, as hour and quantity. */
  private List<String> sent() {
    return service.requests(MeteringService.METER).stream().map(UsageReporterIT::text).toList();
  }

  private static String text(Request request) {
    long hour = request.body().path("Timestamp").asLong() / 3600 % 24;
    return hour + ":" + request.body().path("UsageQuantity").asInt();
  }
}
