package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.FlightSqlConnection;
import com.lokryn.ducklake.client.ResultSink;
import com.lokryn.ducklake.client.ServerException;
import com.lokryn.ducklake.client.StatementSplitter;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
      "Without a statement and without -f it reads standard input, which may hold several",
      "statements. It ends with 1 at the first one that the server refuses."
    })
final class SqlCommand implements Callable<Integer> {
  /** What rows look like. */
  enum Format {
    TABLE,
    CSV,
    JSON,
    ARROW
  }

  @Mixin private ServerOptions server = new ServerOptions();

  @Option(
      names = "--format",
      description = "table, csv, json (one object a line) or arrow (an IPC stream).",
      defaultValue = "table")
  private Format format = Format.TABLE;

  @Option(names = "-f", paramLabel = "FILE", description = "Runs the statements of a file.")
  private @Nullable Path file;

  @Parameters(arity = "0..1", paramLabel = "SQL", description = "A statement.")
  private @Nullable String sql;

  @Override
  public Integer call() throws IOException {
    List<String> statements = StatementSplitter.split(text());
    try (var out =
            new PrintStream(
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16),
                false,
                StandardCharsets.UTF_8);
        FlightSqlConnection connection = server.connect()) {
      ResultSink sink = sink(out);
      for (int i = 0; i < statements.size(); i++) {
        try {
          connection.run(statements.get(i), sink);
          out.flush();
        } catch (ServerException e) {
          out.flush();
          CommandFailure failure = ServerOptions.failure(e);
          throw statements.size() == 1
              ? failure
              : new CommandFailure(
                  failure.exitCode(), "statement %d: %s".formatted(i + 1, failure.getMessage()));
        }
        if (out.checkError()) {
          // Whoever read the output has enough.
          return ExitCode.DONE;
        }
      }
    }
    return ExitCode.DONE;
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

  private ResultSink sink(PrintStream out) throws IOException {
    return switch (format) {
      case TABLE -> new TablePrinter(out, Terminal.width());
      case CSV -> new CsvPrinter(out);
      case JSON -> new JsonPrinter(out);
      case ARROW -> {
        if (Terminal.isPresent()) {
          throw new CommandFailure(
              ExitCode.USAGE, "arrow is binary: send it to a file or another program");
        }
        yield new ArrowPrinter(out);
      }
    };
  }
}
