package com.lokryn.ducklake.observe;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.lokryn.ducklake.testing.SpanCollector;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.trace.v1.Span;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flight.CallHeaders;
import org.apache.arrow.flight.FlightCallHeaders;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.HeaderCallOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One query of a client that is in a trace, as a collector sees it. */
class TracesIT {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String INFO = "arrow.flight.protocol.FlightService/GetFlightInfo";
  private static final String GET = "arrow.flight.protocol.FlightService/DoGet";

  private SpanCollector collector;
  private TestingLakeServer server;
  private TestingClient client;

  @BeforeEach
  void start() throws Exception {
    collector = new SpanCollector();
    server = TestingLakeServer.start(Map.of("otlp_endpoint", collector.endpoint().toString()));
    client = server.connect();
  }

  @AfterEach
  void stop() throws Exception {
    client.close();
    server.close();
    collector.close();
  }

  private static HeaderCallOption traced(String span, boolean isSampled) {
    CallHeaders headers = new FlightCallHeaders();
    headers.insert("traceparent", "00-%s-%s-0%d".formatted(TRACE, span, isSampled ? 1 : 0));
    return new HeaderCallOption(headers);
  }

  private void query(String sql, HeaderCallOption first, HeaderCallOption second) {
    try (FlightStream stream = client.stream(client.info(sql, first), second)) {
      assertThat(TestingClient.rows(stream)).isNotEmpty();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private Span span(String name) {
    List<Span> found =
        collector.spans().stream().filter(span -> span.getName().equals(name)).toList();
    assertThat(found).as(name).hasSize(1);
    return found.getFirst();
  }

  private void awaitSpans(int number) {
    await().until(() -> collector.spans().size() >= number);
    assertThat(collector.spans()).hasSize(number);
  }

  private static String hex(ByteString id) {
    return HexFormat.of().formatHex(id.toByteArray());
  }

  private static AnyValue attribute(Span span, String key) {
    return span.getAttributesList().stream()
        .filter(one -> one.getKey().equals(key))
        .findFirst()
        .orElseThrow(() -> new AssertionError(key + " in " + span))
        .getValue();
  }

  @Test
  void aQueryGoesOnWithTheTraceOfItsClient() {
    client.update("CREATE TABLE t AS SELECT i FROM range(1000) t(i)");
    awaitSpans(4);
    query("FROM t", traced("00f067aa0ba902b7", true), traced("00f067aa0ba902b8", true));
    await().until(() -> collector.spans().stream().anyMatch(span -> span.getName().equals(GET)));
    await().until(() -> collector.spans().size() >= 10);
    List<Span> ours =
        collector.spans().stream().filter(span -> hex(span.getTraceId()).equals(TRACE)).toList();
    assertThat(ours)
        .extracting(Span::getName)
        .containsExactlyInAnyOrder(INFO, GET, "queue", "plan", "first_batch", "stream");
    Span info = named(ours, INFO);
    Span get = named(ours, GET);
    assertThat(hex(info.getParentSpanId())).isEqualTo("00f067aa0ba902b7");
    assertThat(hex(get.getParentSpanId())).isEqualTo("00f067aa0ba902b8");
    assertThat(info.getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_SERVER);
    assertThat(attribute(info, "rpc.response.status_code").getStringValue()).isEqualTo("OK");
    for (String phase : List.of("queue", "plan", "first_batch")) {
      Span span = named(ours, phase);
      assertThat(span.getParentSpanId()).isEqualTo(info.getSpanId());
      assertThat(span.getStartTimeUnixNano())
          .isBetween(info.getStartTimeUnixNano() - 20_000_000, info.getEndTimeUnixNano());
      assertThat(span.getEndTimeUnixNano()).isGreaterThanOrEqualTo(span.getStartTimeUnixNano());
    }
    Span stream = named(ours, "stream");
    assertThat(stream.getParentSpanId()).isEqualTo(get.getSpanId());
    assertThat(attribute(stream, "ducklake.rows").getIntValue()).isEqualTo(1000);
    assertThat(attribute(stream, "ducklake.outcome").getStringValue()).isEqualTo("done");
    assertThat(attribute(stream, "ducklake.query_id"))
        .isEqualTo(attribute(named(ours, "plan"), "ducklake.query_id"));
    assertThat(collector.resource())
        .anySatisfy(
            one -> {
              assertThat(one.getKey()).isEqualTo("service.name");
              assertThat(one.getValue().getStringValue()).isEqualTo("ducklake-flight");
            });
  }

  private static Span named(List<Span> spans, String name) {
    return spans.stream().filter(span -> span.getName().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void aTraceThatIsNotSampledIsNotSent() {
    query("SELECT 1 AS one", traced("00f067aa0ba902b7", false), traced("00f067aa0ba902b7", false));
    client.update("CREATE TABLE t (i INTEGER)");
    awaitSpans(4);
    assertThat(collector.spans()).noneMatch(span -> hex(span.getTraceId()).equals(TRACE));
  }

  @Test
  void aFailureSaysWhatItIsAndHasNoValue() {
    assertFails(Status.Code.NOT_FOUND, () -> client.info("SELECT 'hidden' FROM missing"));
    awaitSpans(3);
    Span plan = span("plan");
    assertThat(attribute(plan, "ducklake.outcome").getStringValue()).isEqualTo("failed");
    assertThat(attribute(plan, "error.type").getStringValue()).isEqualTo("missing");
    assertThat(attribute(span(INFO), "rpc.response.status_code").getStringValue())
        .isEqualTo("NOT_FOUND");
    assertThat(collector.spans().toString()).doesNotContain("hidden");
  }
}
