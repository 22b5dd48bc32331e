package com.lokryn.ducklake.production;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.testing.ExpiringKeys;
import com.lokryn.ducklake.testing.FaultyS3;
import com.lokryn.ducklake.testing.Scrape;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingProcess;
import com.lokryn.ducklake.testing.TestingProduction;
import com.lokryn.ducklake.testing.TestingReadiness;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Credentials that end while a server works with them. */
class CredentialsIT {
  /** Longer runs: -Dducklake.credentials.life=60 -Dducklake.credentials.seconds=600. */
  private static final Duration LIFE =
      Duration.ofSeconds(Integer.getInteger("ducklake.credentials.life", 20));

  private static final int HTTP_PORT = TestingReadiness.freePort();
  private static final Duration RUN =
      Duration.ofSeconds(
          Integer.getInteger("ducklake.credentials.seconds", 2 * (int) LIFE.toSeconds() + 5));
  private static TestingProduction services;

  @BeforeAll
  static void start() {
    services = new TestingProduction();
  }

  @AfterAll
  static void stop() {
    services.close();
  }

  @Test
  void areReplacedBeforeTheyEnd() throws Exception {
    try (var keys = new ExpiringKeys(LIFE);
        var s3 = new FaultyS3(services.aws().endpoint())) {
      s3.each(keys::fate);
      try (var server = serve(keys, s3).listening();
          var client = new TestingClient(server.port())) {
        client.update("CREATE TABLE t (i BIGINT)");
        long rows = 0;
        long end = System.nanoTime() + RUN.toNanos();
        while (System.nanoTime() < end) {
          rows += client.update("INSERT INTO t SELECT i FROM range(50) r(i)");
          // Reads the file that is new.
          assertThat(client.value("SELECT count(i) FROM t")).isEqualTo(rows);
          Thread.sleep(200);
        }
        assertThat(s3.refused()).isZero();
        assertThat(keys.count()).isGreaterThan(3);
        // The process is older than any of them.
        assertThat(Scrape.of(HTTP_PORT).of("credentials_age_seconds"))
            .isBetween(0.0, (double) LIFE.toSeconds());
      }
    }
  }

  @Test
  void areRenewedForAStatementThatFindsThemRevoked() throws Exception {
    try (var keys = new ExpiringKeys(LIFE);
        var s3 = new FaultyS3(services.aws().endpoint())) {
      s3.each(keys::fate);
      try (var server = serve(keys, s3).listening();
          var client = new TestingClient(server.port())) {
        client.update("CREATE TABLE t (i BIGINT)");
        long rows = 0;
        for (int round = 0; round < 4; round++) {
          keys.revoke();
          rows += client.update("INSERT INTO t SELECT i FROM range(50) r(i)");
          keys.revoke();
          assertThat(client.value("SELECT count(i) FROM t")).isEqualTo(rows);
        }
        assertThat(s3.refused()).isGreaterThanOrEqualTo(4);
      }
    }
  }

  private static TestingProcess serve(ExpiringKeys keys, FaultyS3 s3) {
    Map<String, String> environment = services.environment(services.newLake());
    environment.remove("AWS_ACCESS_KEY_ID");
    environment.remove("AWS_SECRET_ACCESS_KEY");
    environment.put("AWS_CONTAINER_CREDENTIALS_FULL_URI", keys.uri().toString());
    environment.put("AWS_ENDPOINT_URL_S3", s3.endpoint().toString());
    environment.put("HTTP_PORT", Integer.toString(HTTP_PORT));
    return TestingProcess.start(environment, "serve", "--host", "127.0.0.1", "--port", "0");
  }
}
