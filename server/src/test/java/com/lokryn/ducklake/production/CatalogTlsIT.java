package com.lokryn.ducklake.production;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.testing.TestingProcess;
import com.lokryn.ducklake.testing.TestingProduction;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code postgres_sslmode} against a Postgres that speaks TLS. */
class CatalogTlsIT {
  @TempDir private static Path directory;
  private static TestingProduction production;
  private static Path certificate;

  @BeforeAll
  static void start() throws Exception {
    production = new TestingProduction();
    certificate = production.postgres().speakTls(directory);
  }

  @AfterAll
  static void stop() {
    production.close();
  }

  @ParameterizedTest
  @CsvSource({"disable,f", "prefer,t", "require,t", "verify-ca,t", "verify-full,t"})
  void isKept(String mode, String encrypted) {
    String lake = production.newLake();
    Map<String, String> environment = environment(lake, mode);
    environment.put("PGSSLROOTCERT", certificate.toString());
    try (var server = serve(environment).listening()) {
      assertThat(
              production
                  .postgres()
                  .value(
                      "SELECT string_agg(DISTINCT ssl::text, ',') FROM pg_stat_ssl JOIN"
                          + " pg_stat_activity USING (pid) WHERE datname = '%s'".formatted(lake)))
          .startsWith(encrypted);
      assertThat(server.terminate()).isZero();
    }
  }

  @Test
  void aCertificateThatNobodyTrustsIsRefused() {
    Map<String, String> environment = environment(production.newLake(), "verify-full");
    environment.put("PGSSLROOTCERT", directory.resolve("none.pem").toString());
    try (var server = serve(environment)) {
      assertThat(server.exitCode()).isEqualTo(78);
      assertThat(server.errors())
          .filteredOn(line -> line.startsWith("✗"))
          .singleElement()
          .asString()
          .contains("PGSSLROOTCERT");
    }
  }

  private static Map<String, String> environment(String lake, String mode) {
    Map<String, String> environment = production.environment(lake);
    environment.put("POSTGRES_SSLMODE", mode);
    return environment;
  }

  private static TestingProcess serve(Map<String, String> environment) {
    return TestingProcess.start(environment, "serve", "--host", "127.0.0.1", "--port", "0");
  }
}
