package com.lokryn.ducklake.production;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.lokryn.ducklake.config.SecretSource;
import com.lokryn.ducklake.config.SecretText;
import com.lokryn.ducklake.testing.FaultyS3;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingReadiness;
import com.lokryn.ducklake.testing.TestingRemoteServer;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VarCharVector;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

/** A password that is changed in Postgres and in the secret while a server works with it. */
class SecretRotationIT {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final Duration OFTEN = Duration.ofMillis(300);
  private static final Duration NEVER = Duration.ofHours(1);

  private static TestingProduction services;

  private final ObjectMapper json = new ObjectMapper();
  private String lake = "";
  private String user = "";
  private volatile String secret = "";

  @BeforeAll
  static void start() {
    services = new TestingProduction();
  }

  @AfterAll
  static void stop() {
    services.close();
  }

  @BeforeEach
  void make() throws Exception {
    lake = services.newLake();
    user = "rotating_" + lake;
    postgres("CREATE ROLE %s LOGIN PASSWORD 'canary-one'".formatted(user));
    postgres("ALTER DATABASE %s OWNER TO %s".formatted(lake, user));
    secret("canary-one");
  }

  @AfterEach
  void drop() {
    services.postgres().cutConnections(lake);
  }

  private static void postgres(String sql) {
    services.postgres().run(sql);
  }

  private void secret(String password) throws Exception {
    Map<String, String> values = new LinkedHashMap<>();
    values.put("postgres_user", user);
    values.put("postgres_password", password);
    values.put("postgres_db", lake);
    values.put("s3_bucket_url", "s3://" + lake);
    values.put("aws_region", "us-east-1");
    secret = json.writeValueAsString(values);
  }

  /** In Postgres first, as Secrets Manager's rotation does. */
  private void rotate(String password) throws Exception {
    postgres("ALTER ROLE %s PASSWORD '%s'".formatted(user, password));
    secret(password);
  }

  private TestingRemoteServer serve(Duration period) throws Exception {
    return serve(period, Map.of());
  }

  private TestingRemoteServer serve(Duration period, Map<String, String> settings)
      throws Exception {
    return serve(
        period,
        settings,
        StaticCredentialsProvider.create(AwsBasicCredentials.create("testing", "testing")));
  }

  private TestingRemoteServer serve(
      Duration period, Map<String, String> settings, AwsCredentialsProvider credentials)
      throws Exception {
    return serve(period, settings, credentials, services.aws().endpoint());
  }

  private TestingRemoteServer serve(
      Duration period, Map<String, String> settings, AwsCredentialsProvider credentials, URI s3)
      throws Exception {
    return TestingRemoteServer.start(
        services,
        lake,
        s3,
        settings,
        credentials,
        _ -> new SecretSource.Found(new SecretText(secret)),
        period);
  }

  @Test
  void whatBeginsUsesTheNewPasswordAndWhatRunsGoesOn() throws Exception {
    try (var server = serve(OFTEN);
        var client = server.connect();
        var other = server.connect()) {
      client.update("CREATE TABLE t AS SELECT i FROM range(2000000) r(i)");
      other.update("BEGIN");
      other.update("INSERT INTO t SELECT 1");
      try (FlightStream stream = client.open("SELECT i FROM t")) {
        assertThat(stream.next()).isTrue();

        rotate("canary-two");
        await().atMost(LIMIT).until(() -> server.server().retiredEngines() == 1);

        try (TestingClient third = server.connect()) {
          assertThat(third.value("SELECT count(i) FROM t")).isEqualTo(2_000_000L);
          third.update("INSERT INTO t SELECT i FROM range(50) r(i)");
        }
        long rows = stream.getRoot().getRowCount();
        while (stream.next()) {
          rows += stream.getRoot().getRowCount();
        }
        assertThat(rows).isEqualTo(2_000_000L);
      }
      other.update("COMMIT");
      assertThat(other.value("SELECT count(i) FROM t")).isEqualTo(2_000_051L);
      await().atMost(LIMIT).until(() -> server.server().retiredEngines() == 0);

      // Only the new password lets anyone in.
      services.postgres().cutConnections(lake);
      await()
          .atMost(LIMIT)
          .ignoreExceptions()
          .until(() -> client.value("SELECT count(i) FROM t").equals(2_000_051L));
    }
  }

  @Test
  void aStatementThatIsRefusedHasTheSecretReadAtOnce() throws Exception {
    try (var server = serve(NEVER);
        var client = server.connect()) {
      client.update("CREATE TABLE t AS SELECT 1 AS i");
      rotate("canary-two");
      services.postgres().cutConnections(lake);
      // DuckDB's pool finds out about its dead connections one by one.
      await()
          .atMost(LIMIT)
          .ignoreExceptions()
          .until(() -> client.value("SELECT i FROM t").equals(1));
      assertThat(client.update("INSERT INTO t SELECT 2")).isEqualTo(1);
    }
  }

  @Test
  void aSecretThatIsNotRightChangesNothingAndShows() throws Exception {
    try (var server = serve(OFTEN);
        var client = server.connect();
        var seen = new TestingReadiness(server.server().listenHttp(0), server.port())) {
      client.update("CREATE TABLE t AS SELECT 1 AS i");
      assertThat(seen.warnings()).isEmpty();

      secret("canary-that-postgres-does-not-know");
      await().atMost(LIMIT).until(() -> seen.warnings().equals(List.of("postgres.login")));
      assertThat(client.value("SELECT i FROM t")).isEqualTo(1);

      secret = "{\"postgres_user\": \"canary";
      await()
          .atMost(LIMIT)
          .until(() -> seen.warnings().equals(List.of("secret.read", "postgres.login")));
      assertThat(client.value("SELECT i FROM t")).isEqualTo(1);
      assertThat(seen.missing()).isEmpty();
      assertThat(seen.get("/readyz").body()).doesNotContain("canary", user, lake);

      rotate("canary-two");
      await().atMost(LIMIT).until(() -> seen.warnings().isEmpty());
      assertThat(client.value("SELECT i FROM t")).isEqualTo(1);
    }
  }

  @Test
  void aSecretThatIsTakenBackLeavesNoWarning() throws Exception {
    try (var server = serve(OFTEN);
        var seen = new TestingReadiness(server.server().listenHttp(0), server.port())) {
      secret("canary-that-postgres-does-not-know");
      await().atMost(LIMIT).until(() -> seen.warnings().equals(List.of("postgres.login")));
      secret("canary-one");
      await().atMost(LIMIT).until(() -> seen.warnings().isEmpty());
    }
  }

  @Test
  void anotherDatabaseInTheSecretIsNotUsedWithANewPassword() throws Exception {
    String other = services.newLake();
    try (var server = serve(OFTEN);
        var client = server.connect()) {
      client.update("CREATE TABLE t AS SELECT 1 AS i");
      postgres("ALTER DATABASE %s OWNER TO %s".formatted(other, user));
      postgres("ALTER ROLE %s PASSWORD 'canary-two'".formatted(user));
      secret("canary-two");
      secret = secret.replace("\"postgres_db\":\"" + lake, "\"postgres_db\":\"" + other);
      assertThat(secret).contains(other);
      services.postgres().cutConnections(lake);
      await()
          .atMost(LIMIT)
          .ignoreExceptions()
          .until(() -> client.value("SELECT i FROM t").equals(1));
      assertThat(
              services
                  .postgres()
                  .value(other, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
          .isEqualTo("0");
    }
  }

  @Test
  void instancesSpillBesideEachOther(@TempDir Path directory) throws Exception {
    Path spill = directory.resolve("spill");
    String sorted =
        "SELECT i, (i * 7 + %1$d)::VARCHAR || repeat('x', 60) AS s FROM range(3000000) r(i)"
            + " ORDER BY hash(i)";
    try (var server =
            serve(
                OFTEN,
                Map.of(
                    "memory_limit", "150MB", "threads", "2", "temp_directory", spill.toString()));
        var before = server.connect();
        var after = server.connect()) {
      try (FlightStream first = before.open(sorted.formatted(1))) {
        assertThat(first.next()).isTrue();
        assertThat(spill).isNotEmptyDirectory();
        rotate("canary-two");
        await().atMost(LIMIT).until(() -> server.server().retiredEngines() == 1);
        try (FlightStream second = after.open(sorted.formatted(2))) {
          assertThat(second.next()).isTrue();
          assertRight(first, 1);
          first.close();
          await().atMost(LIMIT).until(() -> server.server().retiredEngines() == 0);
          assertRight(second, 2);
        }
      }
      assertThat(after.rows("SELECT count(*) FROM (%s)".formatted(sorted.formatted(3)))).hasSize(1);
    }
    assertThat(spill).doesNotExist();
  }

  private static void assertRight(FlightStream stream, int plus) {
    do {
      var numbers = (BigIntVector) stream.getRoot().getVector("i");
      var texts = (VarCharVector) stream.getRoot().getVector("s");
      for (int row = 0; row < stream.getRoot().getRowCount(); row++) {
        if (!texts.getObject(row).toString().startsWith(numbers.get(row) * 7 + plus + "x")) {
          throw new AssertionError("%d: %s".formatted(numbers.get(row), texts.getObject(row)));
        }
      }
    } while (stream.next());
  }

  @Test
  void whatRunsGetsNewKeysToo() throws Exception {
    var keys = new AtomicReference<>(AwsBasicCredentials.create("AKIAONE", "testing"));
    try (var s3 = new FaultyS3(services.aws().endpoint());
        var server = serve(OFTEN, Map.of(), keys::get, s3.endpoint());
        var client = server.connect()) {
      var seen = new AtomicReference<String>();
      s3.each(
          request -> {
            if (request.path().contains("/exports/")) {
              seen.set(request.accessKey());
            }
            return FaultyS3.PASSED;
          });
      client.update("CREATE TEMP TABLE mine AS SELECT 1 AS i");
      rotate("canary-two");
      await().atMost(LIMIT).until(() -> server.server().retiredEngines() == 1);
      keys.set(AwsBasicCredentials.create("AKIATWO", "testing"));
      await()
          .atMost(LIMIT)
          .until(
              () -> {
                client.update("COPY mine TO 's3://%s/data/exports/mine.csv'".formatted(lake));
                return "AKIATWO".equals(seen.get());
              });
    }
  }
}
