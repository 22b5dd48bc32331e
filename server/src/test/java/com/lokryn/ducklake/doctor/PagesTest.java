package com.lokryn.ducklake.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.aws.Permission;
import com.lokryn.ducklake.aws.PolicyStatement;
import com.lokryn.ducklake.lake.maintenance.Step;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The pages on checks and policies say what the tables in the code do. */
class PagesTest {
  private static final String BEGIN = "<!-- checks -->\n";
  private static final String END = "<!-- /checks -->";

  private static String page(String name) throws Exception {
    Path docs = Path.of(System.getProperty("basedir", "."), "..", "docs", name);
    return Files.readString(docs, StandardCharsets.UTF_8);
  }

  @Test
  void thePageOfChecksHasEachCheck() throws Exception {
    String page = page("checks.md");
    String table = page.substring(page.indexOf(BEGIN) + BEGIN.length(), page.indexOf(END));
    assertThat(table).isEqualTo(expected());
  }

  private static String expected() {
    return "| id | passes when | IAM actions |\n| --- | --- | --- |\n"
        + Checks.ALL.stream()
            .map(
                check ->
                    "| `%s` | %s | %s |\n"
                        .formatted(
                            check.id().id(),
                            check.proves(),
                            check.permissions().stream()
                                .map(permission -> "`" + permission.action() + "`")
                                .distinct()
                                .collect(Collectors.joining(", "))))
            .collect(Collectors.joining());
  }

  @Test
  void thePageOnIamExplainsEachStatementAndAction() throws Exception {
    String page = page("iam.md");
    for (PolicyStatement statement : PolicyStatement.values()) {
      assertThat(page.lines())
          .describedAs(statement.sid())
          .filteredOn(line -> line.startsWith("| `" + statement.sid() + "` |"))
          .singleElement()
          .satisfies(
              line -> {
                for (Permission permission : Permission.values()) {
                  if (permission.isOf(statement)) {
                    assertThat(line).contains("`" + permission.action() + "`");
                  }
                }
              });
    }
  }

  @Test
  void thePageOnMaintenanceHasEachStep() throws Exception {
    String table =
        "| step | does | with |\n| --- | --- | --- |\n"
            + Arrays.stream(Step.values())
                .map(
                    step ->
                        "| `%s` | %s | %s|\n"
                            .formatted(
                                step.id(),
                                step.does(),
                                step.function().isEmpty() ? "" : "`" + step.function() + "` "))
                .collect(Collectors.joining());
    assertThat(page("maintenance.md")).contains(table);
  }
}
