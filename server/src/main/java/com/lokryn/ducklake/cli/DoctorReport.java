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
    private int passed;
    private int unneeded;
    private int failed;

    @Override
    public void add(CheckResult result) {
      Finding finding = result.finding();
      String mark =
          switch (finding) {
            case Finding.Passed _ -> {
              passed++;
              yield "✓";
            }
            case Finding.Unneeded _ -> {
              unneeded++;
              yield "-";
            }
            case Finding.Failed _, Finding.Untried _ -> {
              failed++;
              yield "✗";
            }
          };
      print(
          "%s %-17s %s: %s"
              .formatted(
                  mark, result.check().id().id(), result.check().proves(), finding.detail()));
      if (!finding.remedy().isEmpty()) {
        print("                    remedy: " + finding.remedy());
      }
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
