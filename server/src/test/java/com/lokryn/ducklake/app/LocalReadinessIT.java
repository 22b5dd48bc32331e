package com.lokryn.ducklake.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.testing.TestingLakeServer;
import com.lokryn.ducklake.testing.TestingReadiness;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import org.junit.jupiter.api.Test;

/** A local lake needs its engine and nothing else. */
class LocalReadinessIT {
  @Test
  void knowsItsEngineAndWhetherItStops() throws Exception {
    try (var server = TestingLakeServer.start();
        var readiness = new TestingReadiness(server.server().listenHttp(0), server.port())) {
      assertThat(readiness.get("/readyz").body())
          .isEqualTo(
              """
              {"ready":true,"checks":[{"id":"engine","ok":true,"blocks":true,"detail":"ok"},\
              {"id":"drain","ok":true,"blocks":true,"detail":"ok"}]}
              """);
      assertThat(readiness.health()).isEqualTo(ServingStatus.SERVING);
      assertThat(server.server().drain()).isTrue();
      assertThat(readiness.missing()).containsExactly("drain");
    }
  }
}
