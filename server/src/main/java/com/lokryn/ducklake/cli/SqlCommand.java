package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.FlightSqlConnection;
import com.lokryn.ducklake.client.ServerException;
import com.lokryn.ducklake.client.StatementSplitter;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "sql",
    description = "Runs SQL on a server and prints the rows.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Without a statement and without -f it reads standard input, which may hold",
      "several statements. It ends with 1 at the first one that the server refuses,",
      "and with 141, as filters do, when the reader of its output has gone.",
      "",
      "table and csv have values as DuckDB casts them to text. A table shows control",
      "characters as \\u001b. In csv NULL is an empty field, an empty text is quoted:",
      "DuckDB tells them apart with read_csv(..., allow_quoted_nulls = false). In",
      "json NaN and infinity are null, bytes are base64, times and intervals are",
      "ISO 8601; a second column of the same name gets _1 at its end, a third _2."
    })
final class SqlCommand implements Callable<Integer> {
  /** What rows look like. */
  enum Format {
    TABLE,
    CSV,
    JSON,
    ARROW
  }

  private static final int BUFFER_BYTES = 1 << 16;

  /** For these, zero rows is an answer; for others it means that there is nothing to count. */
  private static final Set<String> COUNTED =
      Set.of("insert", "update", "delete", "merge", "truncate", "copy", "with", "from");

  @Mixin private ServerOptions server = new ServerOptions();

  @Option(
      names = "--format",
      description = "table, csv, json (one object a line) or arrow (an IPC stream of each result).",
      defaultValue = "table")
  private Format format = Format.TABLE;

  @Option(names = "-f", paramLabel = "FILE", description = "Runs the statements of a file.")
  private @Nullable Path file;

  @Parameters(arity = "0..1", paramLabel = "SQL", description = "A statement.")
  private @Nullable String sql;

  @Override
  public Integer call() {
    if (format == Format.ARROW && Terminal.isPresent()) {
      throw new CommandFailure(
          ExitCode.USAGE, "arrow is binary: send it to a file or another program");
    }
    List<String> statements = StatementSplitter.split(text());
    // Not closed: the standard output is the program's. Not a PrintStream: that hides errors.
    var out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), BUFFER_BYTES);
    try (FlightSqlConnection connection = server.connect();
        var arrow = new ArrowPrinter(out, connection.allocator())) {
      var text = new OutputStreamWriter(out, StandardCharsets.UTF_8);
      ResultPrinter printer =
          switch (format) {
            case TABLE -> new TablePrinter(text, Terminal.width());
            case CSV -> new CsvPrinter(text);
            case JSON -> new JsonPrinter(text);
            case ARROW -> arrow;
          };
      for (int i = 0; i < statements.size(); i++) {
        try {
          run(connection, statements.get(i), printer);
        } catch (ServerException e) {
          CommandFailure failure = ServerOptions.failure(e);
          throw statements.size() == 1
              ? failure
              : new CommandFailure(
                  failure.exitCode(), "statement %d: %s".formatted(i + 1, failure.getMessage()));
        }
      }
    } catch (IOException e) {
      if (Terminal.isPiped()) {
        return ExitCode.PIPE;
      }
      throw new CommandFailure(ExitCode.FAILED, "the result cannot be written: " + e.getMessage());
    }
    return ExitCode.DONE;
  }

  private static void run(FlightSqlConnection connection, String statement, ResultPrinter printer)
      throws ServerException, IOException {
    OptionalLong changed = connection.run(statement, printer);
    if (changed.isPresent()) {
      long rows = changed.getAsLong();
      boolean counted = rows > 0 || COUNTED.contains(StatementSplitter.firstWord(statement));
      printer.done(counted ? "%d %s changed".formatted(rows, rows == 1 ? "row" : "rows") : "OK");
    }
  }

  private String text() {
    if (sql != null && file != null) {
      throw new CommandFailure(ExitCode.USAGE, "give a statement or a file, not both");
    }
    try {
      if (file != null) {
        return Files.readString(file);
      }
      return sql != null ? sql : new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new CommandFailure(ExitCode.USAGE, "%s cannot be read".formatted(file));
    }
  }
}
