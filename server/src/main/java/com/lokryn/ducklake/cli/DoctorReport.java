package com.lokryn.ducklake.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.doctor.CheckResult;

/** What {@code doctor} prints. */
sealed interface DoctorReport {
  void add(CheckResult result);

  void end();

  /** A line a check, as soon as it is known, and the remedy below one that failed. */
  final class Text implements DoctorReport {
    private static final String INDENT = " ".repeat(20) + "→ ";

    private int passed;
    private int unneeded;
    private int failed;

    @Override
    public void add(CheckResult result) {
      String proves = result.check().proves();
      String line =
          switch (result.finding()) {
            case Finding.Passed(var detail) -> {
              passed++;
              yield line("✓", result, "%s (%s)".formatted(proves, detail));
            }
            case Finding.Unneeded(var detail) -> {
              unneeded++;
              yield line("-", result, "not needed: " + detail);
            }
            case Finding.Untried(var reason) -> {
              failed++;
              yield line("✗", result, "not tried: " + reason);
            }
            case Finding.Failed(var problem) -> {
              failed++;
              yield line("✗", result, problem.text()) + "\n" + INDENT + problem.remedy();
            }
          };
      print(line);
    }

    private static String line(String mark, CheckResult result, String text) {
      return "%s %-17s %s".formatted(mark, result.check().id().id(), text);
    }

    @Override
    public void end() {
      print("%d passed, %d not needed, %d failed".formatted(passed, unneeded, failed));
    }

    private static void print(String line) {
      System.out.println(VisibleText.lines(line));
      System.out.flush();
    }
  }

  /** {@code {"checks":[{"id","name","ok","detail","remedy"}]}}. */
  final class Json implements DoctorReport {
    private final ObjectMapper mapper = new ObjectMapper();
    private final ObjectNode document = mapper.createObjectNode();
    private final ArrayNode checks = document.putArray("checks");

    @Override
    public void add(CheckResult result) {
      checks
          .addObject()
          .put("id", result.check().id().id())
          .put("name", result.check().proves())
          .put("ok", result.finding().isOk())
          .put("detail", result.finding().detail())
          .put("remedy", result.finding().remedy());
    }

    @Override
    public void end() {
      try {
        System.out.println(mapper.writeValueAsString(document));
      } catch (JsonProcessingException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
