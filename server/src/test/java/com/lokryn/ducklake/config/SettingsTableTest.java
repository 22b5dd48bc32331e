package com.lokryn.ducklake.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The README's table of settings is the one in the code. */
class SettingsTableTest {
  private static final String BEGIN = "<!-- settings -->\n";
  private static final String END = "<!-- /settings -->";

  @Test
  void theReadmeHasEverySetting() throws Exception {
    Path readme = Path.of(System.getProperty("basedir", "."), "..", "README.md");
    String text = Files.readString(readme, StandardCharsets.UTF_8);
    String table = text.substring(text.indexOf(BEGIN) + BEGIN.length(), text.indexOf(END));
    assertThat(table).isEqualTo(expected());
  }

  private static String expected() {
    return "| key | default | |\n| --- | --- | --- |\n"
        + Settings.ALL.stream()
            .map(s -> "| `%s` | %s | %s |\n".formatted(s.key(), s.initialText(), s.help()))
            .collect(Collectors.joining());
  }
}
