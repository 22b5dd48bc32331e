package com.lokryn.ducklake.lake;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.Finding.Failed;
import com.lokryn.ducklake.config.Finding.Passed;
import com.lokryn.ducklake.config.Finding.Untried;
import com.lokryn.ducklake.config.SecretText;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.engine.EngineOptions;
import com.lokryn.ducklake.testing.PlainDuckDb;
import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingPostgres;
import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingReadiness;
import java.nio.file.Path;
import java.util.Random;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the checks of the catalog say to each state of Postgres. */
class CatalogChecksIT {
  private static TestingProduction services;

  @TempDir private Path directory;
  private final RootAllocator allocator = new RootAllocator();
  private String database = "";

  @BeforeAll
  static void start() {
    services = new TestingProduction();
  }

  @AfterAll
  static void stop() {
    services.close();
  }

  @BeforeEach
  void create() {
    database = services.newLake();
  }

  @AfterEach
  void close() {
    allocator.close();
  }

  private CatalogChecks checks(String user, String password, String sslMode, int port) {
    return new CatalogChecks(
        new PostgresCatalog(
            "127.0.0.1", port, database, user, new SecretText(password), sslMode, 2),
        TestingLakeServer.extensions(),
        new EngineOptions(1, 256L << 20, directory, 0, TestingLakeServer.extensions().directory()),
        allocator,
        new Random(1));
  }

  private CatalogChecks usual() {
    return checks(
        TestingPostgres.USER, TestingPostgres.PASSWORD, "prefer", services.postgres().port());
  }

  private String dataPath() {
    return "s3://" + database + "/data/";
  }

  private String tables() {
    return services
        .postgres()
        .value(
            database,
            "SELECT count(*) FROM pg_tables"
                + " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')");
  }

  private static void failed(Finding finding, Kind kind, String text, String remedy) {
    assertThat(finding).isInstanceOf(Failed.class);
    assertThat(((Failed) finding).problem().kind()).isEqualTo(kind);
    assertThat(finding.detail()).contains(text).doesNotContain(TestingPostgres.PASSWORD);
    assertThat(finding.remedy()).contains(remedy);
  }

  @Test
  void allPassOnADatabaseWithoutALakeAndNothingIsLeft() {
    try (var checks = usual()) {
      assertThat(checks.reach().isOk()).isTrue();
      assertThat(checks.login().detail())
          .isEqualTo("%s in the database %s".formatted(TestingPostgres.USER, database));
      assertThat(checks.tls()).isEqualTo(new Passed("NOT encrypted; postgres_sslmode is prefer"));
      assertThat(checks.create()).isEqualTo(new Passed("in the schema public"));
      assertThat(checks.version().detail()).startsWith("17.");
      assertThat(checks.attach(dataPath()).detail()).contains("has no lake yet");
    }
    assertThat(tables()).isEqualTo("0");
  }

  @Test
  void aLakeIsAttachedAndItsPathCompared() throws Exception {
    try (var plain = new PlainDuckDb(services, database)) {
      plain.run("CREATE TABLE lake.t AS SELECT 1 AS i");
    }
    String before = tables();
    try (var checks = usual()) {
      assertThat(checks.login().isOk()).isTrue();
      assertThat(checks.attach(dataPath()).detail()).startsWith("snapshot ");
    }
    try (var checks = usual()) {
      assertThat(checks.login().isOk()).isTrue();
      failed(
          checks.attach("s3://other/data/"),
          Kind.CONFIGURATION,
          "has its data elsewhere",
          "correct s3_bucket_url");
    }
    assertThat(tables()).isEqualTo(before);
  }

  @Test
  void aWrongPasswordIsOfTheLoginOnly() {
    try (var checks =
        checks(TestingPostgres.USER, "canary", "prefer", services.postgres().port())) {
      assertThat(checks.reach().isOk()).isTrue();
      failed(checks.login(), Kind.PERMISSION, "refuses the login", "postgres_password");
      assertThat(checks.tls().isOk()).isTrue();
      assertThat(checks.create()).isInstanceOf(Untried.class);
    }
  }

  @Test
  void tlsThatIsAskedForAndNotThereIsOfTlsOnly() {
    try (var checks =
        checks(
            TestingPostgres.USER,
            TestingPostgres.PASSWORD,
            "require",
            services.postgres().port())) {
      assertThat(checks.login()).isInstanceOf(Untried.class);
      failed(checks.tls(), Kind.CONFIGURATION, "takes no TLS connections", "postgres_sslmode");
    }
  }

  @Test
  void aUserWhoMayMakeNoTablesIsOfThatOnly() {
    String user = "poor_" + database;
    services.postgres().run("CREATE ROLE %s LOGIN PASSWORD 'poor'".formatted(user));
    try (var checks = checks(user, "poor", "prefer", services.postgres().port())) {
      assertThat(checks.login().isOk()).isTrue();
      assertThat(checks.version().isOk()).isTrue();
      failed(checks.create(), Kind.PERMISSION, "may not make the catalog's tables", "CREATE");
    }
  }

  @Test
  void aReplicaIsReadOnly() {
    services
        .postgres()
        .run("ALTER DATABASE %s SET default_transaction_read_only = on".formatted(database));
    try (var checks = usual()) {
      assertThat(checks.login().isOk()).isTrue();
      failed(checks.create(), Kind.PERMISSION, "is read-only", "the primary");
    }
  }

  @Test
  void nobodyListens() {
    try (var checks =
        checks(
            TestingPostgres.USER,
            TestingPostgres.PASSWORD,
            "prefer",
            TestingReadiness.freePort())) {
      failed(checks.reach(), Kind.DEPENDENCY, "cannot be reached", "security groups");
    }
  }
}
