package com.lokryn.ducklake.client;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.duckdb.DuckDBConnection;
import org.duckdb.DuckDBResultSet;

/**
 * A file of rows as Arrow batches. CSV, JSON and Parquet are read by a DuckDB of this process,
 * which finds out their columns; Arrow files as they are.
 */
public final class IngestFile implements AutoCloseable {
  /** How a file is read. */
  public enum Format {
    CSV("read_csv", ".csv", ".csv.gz", ".tsv", ".tsv.gz"),
    JSON("read_json", ".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"),
    PARQUET("read_parquet", ".parquet"),
    ARROW("", ".arrow", ".arrows", ".feather", ".ipc");

    private final String function;

    @SuppressWarnings("ImmutableEnumChecker") // List.of is immutable, its type does not say so
    private final List<String> endings;

    Format(String function, String... endings) {
      this.function = function;
      this.endings = List.of(endings);
    }

    /** The format that a file's name says. */
    public static Optional<Format> of(Path file) {
      String name = file.toString().toLowerCase(Locale.ROOT);
      return Arrays.stream(values())
          .filter(format -> format.endings.stream().anyMatch(name::endsWith))
          .findFirst();
    }
  }

  /** About 3 MB of usual rows. */
  private static final long BATCH_ROWS = 61_440;

  private static final byte[] ARROW_FILE = "ARROW1".getBytes(StandardCharsets.US_ASCII);

  private final ArrowReader reader;
  private final AutoCloseable source;

  private IngestFile(ArrowReader reader, AutoCloseable source) {
    this.reader = reader;
    this.source = source;
  }

  /** Opens a file; its rows are read as the reader is asked for them. */
  public static IngestFile open(Path file, Format format, BufferAllocator allocator)
      throws IOException {
    return format == Format.ARROW ? arrow(file, allocator) : duckdb(file, format, allocator);
  }

  public ArrowReader reader() {
    return reader;
  }

  private static IngestFile arrow(Path file, BufferAllocator allocator) throws IOException {
    byte[] start;
    try (InputStream in = Files.newInputStream(file)) {
      start = in.readNBytes(ARROW_FILE.length);
    }
    if (Arrays.equals(start, ARROW_FILE)) {
      FileChannel channel = FileChannel.open(file);
      return new IngestFile(new ArrowFileReader(channel, allocator), channel);
    }
    InputStream in = Files.newInputStream(file);
    return new IngestFile(new ArrowStreamReader(in, allocator), in);
  }

  private static IngestFile duckdb(Path file, Format format, BufferAllocator allocator)
      throws IOException {
    var properties = new Properties();
    properties.setProperty("jdbc_stream_results", "true");
    properties.setProperty("autoinstall_known_extensions", "false");
    DuckDBConnection connection = null;
    try {
      connection = (DuckDBConnection) DriverManager.getConnection("jdbc:duckdb:", properties);
      var statement =
          connection.prepareStatement("SELECT * FROM " + format.function + "(?::VARCHAR)");
      statement.setString(1, file.toString());
      var result = (DuckDBResultSet) statement.executeQuery();
      var reader = (ArrowReader) result.arrowExportStream(allocator, BATCH_ROWS);
      return new IngestFile(reader, connection);
    } catch (SQLException e) {
      close(connection);
      throw new IOException(e.getMessage(), e);
    }
  }

  private static void close(@org.jspecify.annotations.Nullable DuckDBConnection connection) {
    try {
      if (connection != null) {
        connection.close();
      }
    } catch (SQLException ignored) {
      // The failure that is reported came before.
    }
  }

  @Override
  public void close() throws IOException {
    try {
      reader.close();
      source.close();
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("closing the file failed", e);
    }
  }
}
