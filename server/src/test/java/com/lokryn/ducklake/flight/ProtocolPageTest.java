package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.lokryn.ducklake.engine.SessionSettings;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.junit.jupiter.api.Test;

/** The page on the protocol says something of each message that there is. */
class ProtocolPageTest {
  private static final Pattern ROW = Pattern.compile("\\| `(\\w+)` \\| (works|refused|not sent).*");

  @Test
  void eachMessageHasItsRow() throws Exception {
    Set<String> rows =
        page()
            .lines()
            .map(ROW::matcher)
            .filter(matcher -> matcher.matches())
            .map(matcher -> matcher.group(1))
            .collect(Collectors.toSet());
    Set<String> messages =
        FlightSql.getDescriptor().getMessageTypes().stream()
            .map(Descriptor::getName)
            // They are parts of others, or of their answers.
            .filter(name -> name.matches("(Command|Action|Ticket|DoPut).*"))
            .collect(Collectors.toSet());
    assertThat(rows).containsAll(messages);
  }

  @Test
  void eachSettingOfASessionIsThere() throws Exception {
    assertThat(page())
        .contains(SessionSettings.NAMES.stream().map(name -> "`" + name + "`").toList());
  }

  private static String page() throws Exception {
    return Files.readString(
        Path.of(System.getProperty("basedir", "."), "..", "docs", "protocol.md"),
        StandardCharsets.UTF_8);
  }
}
