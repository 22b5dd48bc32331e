package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.FlightSqlConnection;
import com.lokryn.ducklake.client.IngestFile;
import com.lokryn.ducklake.client.IngestFile.Format;
import com.lokryn.ducklake.client.ServerException;
import com.lokryn.ducklake.client.TableName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableExistsOption;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableNotExistOption;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "ingest",
    description = "Loads a CSV, JSON, Parquet or Arrow file into a table, all of it or nothing.",
    mixinStandardHelpOptions = true)
final class IngestCommand implements Callable<Integer> {
  /** What to do about the table. */
  enum Mode {
    CREATE(
        TableNotExistOption.TABLE_NOT_EXIST_OPTION_CREATE,
        TableExistsOption.TABLE_EXISTS_OPTION_FAIL),
    APPEND(
        TableNotExistOption.TABLE_NOT_EXIST_OPTION_FAIL,
        TableExistsOption.TABLE_EXISTS_OPTION_APPEND),
    REPLACE(
        TableNotExistOption.TABLE_NOT_EXIST_OPTION_CREATE,
        TableExistsOption.TABLE_EXISTS_OPTION_REPLACE);

    private final TableNotExistOption missing;
    private final TableExistsOption existing;

    Mode(TableNotExistOption missing, TableExistsOption existing) {
      this.missing = missing;
      this.existing = existing;
    }
  }

  @Mixin private ServerOptions server = new ServerOptions();

  @Option(
      names = "--mode",
      description = "create a new table, append to one, or replace it if there is one.",
      defaultValue = "create")
  private Mode mode = Mode.CREATE;

  @Option(
      names = "--input-format",
      description = "csv, json, parquet or arrow, where the name of the file does not say it.")
  private @Nullable Format format;

  @Parameters(index = "0", paramLabel = "FILE")
  private @Nullable Path file;

  @Parameters(index = "1", paramLabel = "TABLE", description = "table, or schema.table.")
  private @Nullable String table;

  @Override
  public Integer call() {
    Path path = java.util.Objects.requireNonNull(file);
    if (!Files.isReadable(path) || Files.isDirectory(path)) {
      throw new CommandFailure(ExitCode.USAGE, "%s cannot be read".formatted(path));
    }
    Format read =
        format != null
            ? format
            : Format.of(path)
                .orElseThrow(
                    () ->
                        new CommandFailure(
                            ExitCode.USAGE,
                            "the name of %s does not say what it holds: add --input-format"
                                .formatted(path)));
    TableName name = name(java.util.Objects.requireNonNull(table));
    try (FlightSqlConnection connection = server.connect();
        IngestFile source = open(path, read, connection)) {
      long rows = upload(connection, source, command(name));
      System.out.printf("%d %s ingested into %s%n", rows, rows == 1 ? "row" : "rows", table);
      return ExitCode.DONE;
    } catch (ServerException e) {
      throw ServerOptions.failure(e);
    } catch (IOException e) {
      throw new CommandFailure(
          ExitCode.FAILED, "%s was not ingested: %s".formatted(path, e.getMessage()));
    }
  }

  private static TableName name(String text) {
    try {
      return TableName.parse(text);
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(ExitCode.USAGE, String.valueOf(e.getMessage()));
    }
  }

  private static long upload(
      FlightSqlConnection connection, IngestFile source, CommandStatementIngest command)
      throws ServerException, IOException {
    if (!Terminal.isPresent()) {
      return connection.ingest(command, source.reader(), _ -> {});
    }
    try (ProgressBar bar =
        new ProgressBarBuilder()
            .setTaskName("ingest")
            .setInitialMax(-1)
            .setUnit(" rows", 1)
            .showSpeed()
            .build()) {
      return connection.ingest(command, source.reader(), bar::stepBy);
    }
  }

  private static IngestFile open(Path path, Format format, FlightSqlConnection connection) {
    try {
      return IngestFile.open(path, format, connection.allocator());
    } catch (IOException e) {
      throw new CommandFailure(
          ExitCode.FAILED, "%s cannot be read: %s".formatted(path, e.getMessage()));
    }
  }

  private CommandStatementIngest command(TableName name) {
    var command =
        CommandStatementIngest.newBuilder()
            .setTable(name.table())
            .setTableDefinitionOptions(
                TableDefinitionOptions.newBuilder()
                    .setIfNotExist(mode.missing)
                    .setIfExists(mode.existing));
    name.schema().ifPresent(command::setSchema);
    name.catalog().ifPresent(command::setCatalog);
    return command.build();
  }
}
