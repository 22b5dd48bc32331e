package com.lokryn.ducklake.observe;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.lokryn.ducklake.testing.Scrape;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Dashboard, alerts and the page on operations know the metrics that a server has, and no others.
 */
class DashboardTest {
  private static final Path ROOT = Path.of(System.getProperty("basedir", "."), "..");
  private static final Path DEPLOY = ROOT.resolve("deploy").resolve("observability");

  /** How all of them begin. */
  private static final Pattern METRIC =
      Pattern.compile("\\b(?:ducklake_flight|jvm|process|system|disk|executor|logback)_\\w+");

  private static final Pattern ROW = Pattern.compile("\\| `(\\w+)` \\| (\\w+) \\|[^\\n]*");

  private static Scrape scrape;

  @BeforeAll
  static void scrape() throws Exception {
    try (TestingLakeServer server = TestingLakeServer.start();
        TestingClient client = server.connect()) {
      int port = server.server().listenHttp(0);
      // Pauses are there once there was one that somebody looked for.
      var _ = Scrape.of(port);
      System.gc();
      assertThat(client.value("SELECT 1")).isEqualTo(1);
      org.awaitility.Awaitility.await()
          .until(() -> Scrape.of(port).names().contains("jvm_gc_pause_seconds_count"));
      scrape = Scrape.of(port);
    }
  }

  private static Set<String> metrics(String text) {
    Matcher found = METRIC.matcher(text);
    var names = new TreeSet<String>();
    while (found.find()) {
      names.add(found.group());
    }
    return names;
  }

  private static String read(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.UTF_8);
  }

  @Test
  void theDashboardShowsMetricsThatThereAre() throws Exception {
    JsonNode dashboard = new ObjectMapper().readTree(DEPLOY.resolve("dashboard.json").toFile());
    List<String> expressions = dashboard.findValuesAsText("expr");
    assertThat(expressions).hasSizeGreaterThan(30);
    for (String expression : expressions) {
      assertThat(metrics(expression)).as(expression).isNotEmpty();
      assertThat(scrape.names()).as(expression).containsAll(metrics(expression));
    }
    List<Integer> ids =
        dashboard.get("panels").findValuesAsText("id").stream().map(Integer::valueOf).toList();
    assertThat(ids).doesNotHaveDuplicates();
  }

  @Test
  void theAlertsLookAtMetricsThatThereAreAndAreExplained() throws Exception {
    String alerts = read(DEPLOY.resolve("alerts.yaml"));
    String page = page();
    List<String> names = values(alerts, "alert");
    List<String> expressions = values(alerts, "expr");
    assertThat(names).hasSameSizeAs(expressions).hasSizeGreaterThan(10).doesNotHaveDuplicates();
    for (String expression : expressions) {
      assertThat(metrics(expression)).as(expression).isNotEmpty();
      assertThat(scrape.names()).as(expression).containsAll(metrics(expression));
    }
    assertThat(page).contains(names);
  }

  private static List<String> values(String yaml, String key) {
    return yaml.lines()
        .map(String::strip)
        .filter(line -> line.startsWith(key + ": ") || line.startsWith("- " + key + ": "))
        .map(line -> line.substring(line.indexOf(": ") + 2))
        .toList();
  }

  private static String page() throws IOException {
    return read(ROOT.resolve("docs").resolve("operations.md"));
  }

  @Test
  void thePageHasEachMetricWithItsType() throws Exception {
    String page = page();
    String table =
        page.substring(page.indexOf("<!-- metrics -->"), page.indexOf("<!-- /metrics -->"));
    Map<String, String> documented = new TreeMap<>();
    ROW.matcher(table).results().forEach(row -> documented.put(row.group(1), row.group(2)));
    assertThat(documented).isEqualTo(new TreeMap<>(scrape.types()));
  }

  @Test
  void thePageHasEachLimitKindAndOutcome() throws Exception {
    String page = page();
    Set<String> words = new TreeSet<>();
    Matcher quoted = Pattern.compile("`(\\w+)`").matcher(page);
    while (quoted.find()) {
      words.add(quoted.group(1));
    }
    Map<String, Set<String>> known = new HashMap<>();
    known.put("limits", labels(Limit.values(), Limit::label));
    known.put("kinds", labels(QueryKind.values(), QueryKind::label));
    known.put("outcomes", labels(QueryOutcome.values(), QueryOutcome::label));
    known.forEach((what, labels) -> assertThat(words).as(what).containsAll(labels));
  }

  private static <E> Set<String> labels(E[] all, java.util.function.Function<E, String> label) {
    return java.util.Arrays.stream(all).map(label).collect(Collectors.toSet());
  }
}
