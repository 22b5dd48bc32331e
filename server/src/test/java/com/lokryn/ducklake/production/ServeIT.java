package com.lokryn.ducklake.production;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.testing.PlainDuckDb;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingPostgres;
import com.lokryn.ducklake.testing.TestingProcess;
import com.lokryn.ducklake.testing.TestingProduction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code serve} as operators run it, with a catalog in Postgres and data on S3. */
class ServeIT {
  private static TestingProduction production;

  @BeforeAll
  static void start() {
    production = new TestingProduction();
  }

  @AfterAll
  static void stop() {
    production.close();
  }

  @Test
  void startsWithTheLinesOfTheContract() throws Exception {
    String lake = production.newLake();
    try (var server = serve(production.environment(lake)).listening()) {
      assertThat(server.lines())
          .containsExactly(
              "Attempting to load config from Secrets Manager...",
              "  Secret not found or not accessible, falling back to environment variables",
              "Attempting to load config from environment variables...",
              "✓ Configuration loaded from environment variables",
              "  AWS Marketplace metering is off: marketplace_product_code is not set",
              "✓ S3 write test passed: %s/data/.keep".formatted(lake),
              "✓ DuckLake catalog configured",
              "✓ DuckLake catalog initialized successfully",
              "✓ Flight SQL server listening on grpc://127.0.0.1:" + server.port());
      try (var client = new TestingClient(server.port())) {
        client.update("CREATE TABLE t AS SELECT i, i::VARCHAR AS s FROM range(1000) r(i)");
        assertThat(client.value("SELECT count(*) FROM lake.main.t")).isEqualTo(1000L);
        assertThat(client.value("SELECT count(*) FROM ducklake_list_files('lake', 't')"))
            .isEqualTo(1L);
      }
      assertThat(server.terminate()).isZero();
      assertThat(String.join("\n", server.lines()) + String.join("\n", server.errors()))
          .doesNotContain(TestingPostgres.PASSWORD)
          .doesNotContain("\tat ");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "POSTGRES_PASSWORD|wrong|77|password authentication failed|postgres_password",
        "POSTGRES_USER|nobody|77|nobody|postgres_user",
        "POSTGRES_DB|not_there|78|does not exist|CREATE DATABASE",
        "POSTGRES_PORT|1|69|Connection refused|security groups",
        "POSTGRES_HOST|nowhere.invalid|69|nowhere.invalid|postgres_host",
        "POSTGRES_SSLMODE|require|78|SSL|postgres_sslmode",
        "S3_BUCKET_URL|s3://not-there|78|NoSuchBucket|s3_bucket_url",
        "AWS_ENDPOINT_URL_S3|http://127.0.0.1:1|69|onnect|S3",
      })
  void saysWhatIsWrongAndWhatToDo(
      String variable, String value, int code, String reason, String remedy) {
    Map<String, String> environment = production.environment(production.newLake());
    environment.put(variable, value);
    assertRefused(environment, code, reason, remedy);
  }

  @Test
  void theDataOfALakeStaysWhereItIs() throws Exception {
    String lake = production.newLake();
    Map<String, String> environment = production.environment(lake);
    try (var server = serve(environment).listening()) {
      assertThat(server.terminate()).isZero();
    }
    environment.put("S3_BUCKET_URL", "s3://%s/elsewhere".formatted(lake));
    try (var server = serve(environment)) {
      assertThat(server.exitCode()).isEqualTo(78);
      assertThat(server.errors().getLast()).contains("s3_bucket_url");
    }
  }

  /** The database is as an administrator may have left it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ALTER DATABASE %1$s OWNER TO postgres|77|permission denied|GRANT CREATE",
        "ALTER DATABASE %1$s SET default_transaction_read_only = on|77|read-only|primary",
        "REVOKE CONNECT ON DATABASE %1$s FROM PUBLIC, lake_user|77|CONNECT|GRANT CONNECT",
        "ALTER DATABASE %1$s CONNECTION LIMIT 0|69|too many connections|max_connections",
        "ALTER DATABASE %1$s ALLOW_CONNECTIONS false|69|not currently accepting|postgres_db",
      })
  void saysWhatIsWrongWithTheDatabase(String change, int code, String reason, String remedy) {
    String lake = production.newLake();
    production.postgres().run(change.formatted(lake));
    assertRefused(production.environment(lake), code, reason, remedy);
  }

  /** The lake is there, and another one than this program's version makes. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "UPDATE ducklake_metadata SET value = '99.0' WHERE key = 'version'|69|99.0|version",
        "UPDATE ducklake_metadata SET value = '0.1' WHERE key = 'version'|69|0.1|version",
        "UPDATE ducklake_metadata SET value = 's3://other/' WHERE key = 'data_path'|78|s3://other/"
            + "|s3_bucket_url",
      })
  void saysWhatIsWrongWithTheLake(String change, int code, String reason, String remedy)
      throws Exception {
    String lake = production.newLake();
    new PlainDuckDb(production, lake).close();
    production.postgres().run(lake, change);
    assertRefused(production.environment(lake), code, reason, remedy);
  }

  private static void assertRefused(
      Map<String, String> environment, int code, String reason, String remedy) {
    try (var server = serve(environment)) {
      assertThat(server.exitCode()).describedAs("%s", server.errors()).isEqualTo(code);
      assertThat(server.errors())
          .filteredOn(line -> line.startsWith("✗"))
          .singleElement()
          .asString()
          .contains(reason)
          .contains(remedy)
          .doesNotContain(TestingPostgres.PASSWORD);
      assertThat(server.errors()).noneMatch(line -> line.startsWith("\tat "));
    }
  }

  @Test
  void clientsLogInWithThePassword() throws Exception {
    Map<String, String> environment = production.environment(production.newLake());
    environment.remove("FLIGHT_AUTH");
    try (var server = serve(environment).listening()) {
      for (String password : new String[] {TestingPostgres.PASSWORD, "wrong"}) {
        try (var client =
            TestingProcess.start(
                Map.of("FLIGHT_PASSWORD", password),
                "sql",
                "--format",
                "csv",
                "--url",
                "grpc://127.0.0.1:" + server.port(),
                "--user",
                TestingPostgres.USER,
                "SELECT 42 AS answer")) {
          boolean isRight = password.equals(TestingPostgres.PASSWORD);
          assertThat(client.exitCode())
              .describedAs("%s", client.errors())
              .isEqualTo(isRight ? 0 : 1);
          assertThat(client.lines().contains("42")).isEqualTo(isRight);
        }
      }
    }
  }

  @Test
  void nothingSecretIsShownAnywhere() throws Exception {
    Map<String, String> environment = production.environment(production.newLake());
    environment.put("AWS_SECRET_ACCESS_KEY", "canary-of-the-key");
    environment.put("AWS_SESSION_TOKEN", "canary-of-the-token");
    environment.put("LOG_LEVEL", "debug");
    var shown = new StringBuilder();
    try (var server = serve(environment).listening();
        var client = new TestingClient(server.port())) {
      for (String statement :
          List.of(
              "FROM duckdb_settings()",
              "FROM duckdb_secrets()",
              "FROM duckdb_secrets(redact => false)",
              "FROM duckdb_databases()",
              "FROM duckdb_logs()",
              "SHOW DATABASES",
              "SELECT current_setting('s3_secret_access_key'), current_setting('s3_session_token')",
              "SELECT getenv('AWS_SECRET_ACCESS_KEY')",
              "FROM read_text('/proc/self/environ')",
              "FROM read_text('/proc/self/cmdline')",
              "FROM postgres_scan('', 'public', 'no_such_table')",
              "FROM postgres_query('__ducklake_metadata_lake', 'SELECT no_such_column')",
              "FROM read_parquet('s3://another-bucket/x.parquet')",
              "FROM nothing_like_this")) {
        try {
          shown.append(client.rows(statement));
        } catch (RuntimeException e) {
          shown.append(e);
        }
      }
      shown.append(Files.readString(Path.of("/proc/%d/cmdline".formatted(server.pid()))));
      assertThat(server.terminate()).isZero();
      shown.append(server.lines()).append(server.errors());
    }
    assertThat(shown.toString())
        .hasSizeGreaterThan(2_000)
        .doesNotContain("canary")
        .doesNotContain(TestingPostgres.PASSWORD)
        .doesNotContain(TestingPostgres.PASSWORD.replace("'", "''"));
  }

  private static TestingProcess serve(Map<String, String> environment) {
    return TestingProcess.start(environment, "serve", "--host", "127.0.0.1", "--port", "0");
  }
}
