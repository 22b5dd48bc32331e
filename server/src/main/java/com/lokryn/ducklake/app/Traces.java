package com.lokryn.ducklake.app;

import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.observe.OtlpTracing;
import com.lokryn.ducklake.observe.Tracing;
import java.net.URI;
import java.util.Optional;

/** Whether spans are sent, and where. */
final class Traces {
  /** The variables of OpenTelemetry that name a collector. */
  private static final String[] ENDPOINTS = {
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"
  };

  private Traces() {}

  /**
   * Begins to send spans, where somebody takes them.
   *
   * @throws StartException when what the environment says of it cannot be used
   */
  static Optional<Tracing> of(ServerConfig config) throws StartException {
    Optional<String> endpoint = config.find(Settings.OTLP_ENDPOINT).map(URI::toString);
    if (endpoint.isEmpty() && !isInEnvironment()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new OtlpTracing(endpoint));
    } catch (RuntimeException e) {
      throw new StartException(
          new StartProblem(
              StartProblem.Kind.CONFIGURATION,
              "traces cannot be sent: " + e.getMessage(),
              "look at the variables OTEL_*; they are sent by http/protobuf only"));
    }
  }

  private static boolean isInEnvironment() {
    for (String variable : ENDPOINTS) {
      String value = System.getenv(variable);
      if (value != null && !value.isBlank()) {
        return true;
      }
    }
    return false;
  }
}
