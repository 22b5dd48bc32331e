package com.lokryn.ducklake.observe;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Sends spans by OTLP over HTTP, from a thread and a queue of the SDK's own: what the collector
 * does not take in time is dropped. Nothing of OpenTelemetry is loaded before this class is.
 */
public final class OtlpTracing implements Tracing {
  private static final AttributeKey<String> SYSTEM = AttributeKey.stringKey("rpc.system");
  private static final AttributeKey<String> SERVICE = AttributeKey.stringKey("rpc.service");
  private static final AttributeKey<String> METHOD = AttributeKey.stringKey("rpc.method");
  private static final AttributeKey<String> STATUS =
      AttributeKey.stringKey("rpc.response.status_code");
  private static final AttributeKey<String> QUERY = AttributeKey.stringKey("ducklake.query_id");
  private static final AttributeKey<String> SESSION = AttributeKey.stringKey("ducklake.session");
  private static final AttributeKey<String> USER = AttributeKey.stringKey("enduser.id");
  private static final AttributeKey<String> KIND = AttributeKey.stringKey("db.operation.name");
  private static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("ducklake.outcome");
  private static final AttributeKey<String> CAUSE = AttributeKey.stringKey("error.type");
  private static final AttributeKey<Long> ROWS = AttributeKey.longKey("ducklake.rows");
  private static final AttributeKey<Long> BYTES = AttributeKey.longKey("ducklake.bytes");
  private static final Duration LAST_WAIT = Duration.ofMillis(500);

  /** gRPC statuses that are faults of the server, as OpenTelemetry's conventions have it. */
  private static final List<String> FAULTS =
      List.of(
          "UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS");

  private static final TextMapGetter<Map<String, String>> HEADERS =
      (headers, name) -> headers == null ? null : headers.get(name);

  private final OpenTelemetrySdk sdk;
  private final Tracer tracer;

  /**
   * Begins to send.
   *
   * @param endpoint the address of a collector, which gets /v1/traces appended; empty where the
   *     variables of the environment say it, which otherwise count too: OTEL_SERVICE_NAME,
   *     OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS and so on
   */
  public OtlpTracing(Optional<String> endpoint) {
    var defaults = new HashMap<String, String>();
    defaults.put("otel.service.name", "ducklake-flight");
    defaults.put("otel.exporter.otlp.protocol", "http/protobuf");
    var fixed = new HashMap<String, String>();
    // Numbers are at /metrics, and the log goes to standard error.
    fixed.put("otel.metrics.exporter", "none");
    fixed.put("otel.logs.exporter", "none");
    endpoint.ifPresent(address -> fixed.put("otel.exporter.otlp.endpoint", address));
    sdk =
        AutoConfiguredOpenTelemetrySdk.builder()
            .addPropertiesSupplier(() -> defaults)
            .addPropertiesCustomizer(_ -> fixed)
            .disableShutdownHook()
            .build()
            .getOpenTelemetrySdk();
    tracer = sdk.getTracer("ducklake-flight");
  }

  @Override
  public Call begin(String method, @Nullable String traceparent, @Nullable String tracestate) {
    int slash = method.indexOf('/');
    Span span =
        tracer
            .spanBuilder(method)
            .setParent(parent(traceparent, tracestate))
            .setSpanKind(SpanKind.SERVER)
            .setAttribute(SYSTEM, "grpc")
            .setAttribute(SERVICE, method.substring(0, Math.max(0, slash)))
            .setAttribute(METHOD, method.substring(slash + 1))
            .startSpan();
    return new Remote(span);
  }

  private static Context parent(@Nullable String traceparent, @Nullable String tracestate) {
    if (traceparent == null) {
      return Context.root();
    }
    var headers = new HashMap<String, String>();
    headers.put("traceparent", traceparent);
    if (tracestate != null) {
      headers.put("tracestate", tracestate);
    }
    return W3CTraceContextPropagator.getInstance().extract(Context.root(), headers, HEADERS);
  }

  private static final class Remote implements Call {
    private final Span span;
    private final AtomicBoolean ended = new AtomicBoolean();

    Remote(Span span) {
      this.span = span;
    }

    @Override
    public String traceparent() {
      var context = span.getSpanContext();
      return "00-%s-%s-%s"
          .formatted(context.getTraceId(), context.getSpanId(), context.getTraceFlags().asHex());
    }

    @Override
    public void end(String status) {
      if (ended.compareAndSet(false, true)) {
        span.setAttribute(STATUS, status);
        if (FAULTS.contains(status)) {
          span.setStatus(StatusCode.ERROR);
        }
        span.end();
      }
    }
  }

  @Override
  public void ended(QueryRecord query) {
    Optional<String> trace = query.request().trace();
    if (trace.isEmpty()) {
      return;
    }
    // The phases are over: their spans are made of what was measured.
    Instant now = Instant.now();
    long epochNanos =
        TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano() - System.nanoTime();
    Context asked = parent(trace.get(), null);
    for (Phase phase : Phase.values()) {
      if (query.phases().reached(phase)) {
        Context parent =
            phase == Phase.STREAM
                ? query.request().fetch().map(fetch -> parent(fetch, null)).orElse(asked)
                : asked;
        add(query, phase, parent, epochNanos);
      }
    }
  }

  private void add(QueryRecord query, Phase phase, Context parent, long epochNanos) {
    Phases times = query.phases();
    Span span =
        tracer
            .spanBuilder(phase.label())
            .setParent(parent)
            .setStartTimestamp(epochNanos + times.start(phase), TimeUnit.NANOSECONDS)
            .setAttribute(QUERY, query.id().value())
            .setAttribute(SESSION, query.session())
            .setAttribute(USER, query.user())
            .setAttribute(KIND, query.kind().label())
            .startSpan();
    if (times.end(phase) == times.end()) {
      // The last one says how all of it ended.
      span.setAttribute(OUTCOME, query.outcome().label());
      span.setAttribute(ROWS, query.rows());
      span.setAttribute(BYTES, query.bytes());
      query.cause().ifPresent(cause -> span.setAttribute(CAUSE, cause));
      if (query.outcome() == QueryOutcome.FAILED || query.outcome() == QueryOutcome.STOPPED) {
        span.setStatus(StatusCode.ERROR);
      }
    }
    span.end(epochNanos + times.end(phase), TimeUnit.NANOSECONDS);
  }

  @Override
  public void close() {
    sdk.getSdkTracerProvider().forceFlush().join(LAST_WAIT.toMillis(), TimeUnit.MILLISECONDS);
    sdk.shutdown().join(LAST_WAIT.toMillis(), TimeUnit.MILLISECONDS);
  }
}
