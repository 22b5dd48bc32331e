package com.lokryn.ducklake.testing;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What {@code /metrics} says at one time: values by name and labels, as they are written there. */
public final class Scrape {
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private final Map<String, Double> values = new LinkedHashMap<>();
  private final Map<String, String> types = new LinkedHashMap<>();

  private Scrape(String text) {
    text.lines()
        .forEach(
            line -> {
              if (line.startsWith("# TYPE ")) {
                String[] words = line.split(" ", -1);
                types.put(words[2], words[3]);
              } else if (!line.startsWith("#") && !line.isBlank()) {
                int space = line.lastIndexOf(' ');
                values.put(line.substring(0, space), Double.valueOf(line.substring(space + 1)));
              }
            });
  }

  /** Asks a server on a port of this machine. */
  public static Scrape of(int port) {
    try {
      HttpResponse<String> answer =
          HTTP.send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/metrics".formatted(port)))
                  .timeout(Duration.ofSeconds(10))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() != 200) {
        throw new AssertionError(answer.statusCode() + " " + answer.body());
      }
      return new Scrape(answer.body());
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** The value of one of ours: {@code queries_total{kind="select"}} with its labels in order. */
  public double of(String name) {
    Double value = values.get("ducklake_flight_" + name);
    if (value == null) {
      throw new AssertionError("there is no " + name + " in " + values.keySet());
    }
    return value;
  }

  /** All names with their types; those of the parts of a histogram are the histogram's. */
  public Map<String, String> types() {
    return types;
  }

  /** All names that a query may use. */
  public Set<String> names() {
    var names = new TreeSet<String>();
    values.keySet().forEach(key -> names.add(key.replaceFirst("\\{.*", "")));
    return names;
  }
}
