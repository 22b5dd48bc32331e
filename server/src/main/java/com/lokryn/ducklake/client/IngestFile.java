package com.lokryn.ducklake.client;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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

  private static final ByteBuffer ARROW_FILE =
      ByteBuffer.wrap("ARROW1".getBytes(StandardCharsets.US_ASCII));

  private static final int START_BYTES = 8;
  private static final int CONTINUATION = -1;

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
    ByteBuffer start;
    try (InputStream in = Files.newInputStream(file)) {
      start = ByteBuffer.wrap(in.readNBytes(START_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    }
    if (start.limit() == START_BYTES && start.slice(0, ARROW_FILE.limit()).equals(ARROW_FILE)) {
      var reader = new ArrowFile(FileChannel.open(file), allocator);
      try {
        reader.loadDictionaries();
      } catch (IOException | RuntimeException e) {
        reader.close();
        throw damaged(e);
      }
      return new IngestFile(reader, () -> {});
    }
    checkStream(start, Files.size(file));
    InputStream in = Files.newInputStream(file);
    return new IngestFile(new ArrowStreamReader(in, allocator), in);
  }

  /** Arrow complains in exceptions of many kinds, some of them without a text. */
  static IOException damaged(Exception e) {
    return new IOException(
        "it is damaged or not complete (%s)"
            .formatted(e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage()),
        e);
  }

  /** Arrow would take any four bytes for the length of its first message, and that much memory. */
  private static void checkStream(ByteBuffer start, long size) throws IOException {
    boolean stream = start.limit() == START_BYTES;
    if (stream) {
      int first = start.getInt(0);
      // Streams of old versions begin with the length itself.
      int length = first == CONTINUATION ? start.getInt(Integer.BYTES) : first;
      stream = length > 0 && length <= size;
    }
    if (!stream) {
      throw new IOException("it is no Arrow file, Feather file or Arrow stream");
    }
  }

  /** Arrow's own reader loads one batch of each dictionary, and none of those that add to it. */
  private static final class ArrowFile extends ArrowFileReader {
    ArrowFile(FileChannel channel, BufferAllocator allocator) {
      super(channel, allocator);
    }

    void loadDictionaries() throws IOException {
      int loaded = getRecordBlocks().isEmpty() ? 0 : getDictionaryVectors().size();
      for (int i = loaded; i < getDictionaryBlocks().size(); i++) {
        loadDictionary(readDictionary());
      }
    }
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
      statement.setString(1, literally(file));
      var result = (DuckDBResultSet) statement.executeQuery();
      var reader = (ArrowReader) result.arrowExportStream(allocator, BATCH_ROWS);
      return new IngestFile(reader, connection);
    } catch (SQLException e) {
      close(connection);
      // Without the line of SQL, which is not the user's.
      throw new IOException(
          String.valueOf(e.getMessage()).replaceFirst("(?s)\\s+LINE \\d+:.*", ""), e);
    }
  }

  /** DuckDB reads names as patterns. */
  private static String literally(Path file) {
    return file.toString().replaceAll("[\\[*?]", "[$0]");
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
