package com.lokryn.ducklake.query;

import static org.assertj.core.api.Assertions.assertThat;

import com.lokryn.ducklake.engine.Namespace;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ServerTablesTest {
  private static final String BEGIN = "<!-- server tables -->";
  private static final String END = "<!-- end -->";

  private final InstantSource clock = InstantSource.system();
  private final ServerTables tables =
      new Administration(
              new Sessions(
                  new Namespace("lake", "main"),
                  _ -> {
                    throw new IllegalStateException("nothing is asked");
                  },
                  clock,
                  Duration.ofMinutes(1)),
              new ActiveQueries(),
              new QueryHistory(clock),
              new Admission(
                  new Admission.Limits(1, Optional.empty(), 1),
                  Admission.Workers.same(Runnable::run),
                  Runnable::run,
                  new Holdings(0),
                  clock),
              clock)
          .tables();

  /** The page for operators has each column as it is. */
  @Test
  void thePageHasThemAll() throws Exception {
    String page = Files.readString(root().resolve("docs/operations.md"));
    int begin = page.indexOf(BEGIN) + BEGIN.length();
    assertThat(page.substring(begin, page.indexOf(END, begin)).strip()).isEqualTo(described());
  }

  private String described() {
    var text = new StringBuilder("| table | column | type | |\n| --- | --- | --- | --- |\n");
    for (ServerTables.Table<?> table : tables.all()) {
      for (ServerTables.Column<?> column : table.columns()) {
        text.append(
            "| `server.%s` | `%s` | %s | %s |\n"
                .formatted(table.name(), column.name(), column.type(), column.comment()));
      }
    }
    return text.toString().strip();
  }

  private static Path root() {
    Path directory = Path.of("").toAbsolutePath();
    return List.of(directory, directory.resolve("..")).stream()
        .filter(candidate -> Files.isDirectory(candidate.resolve("docs")))
        .findFirst()
        .orElseThrow();
  }
}
