package com.lokryn.ducklake.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.apache.arrow.c.ArrowArrayStream;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.DictionaryUtility;
import org.duckdb.DriverAccess;
import org.duckdb.DuckDBResultSet;

/** A streaming result of DuckDB, exported through Arrow's C stream interface without a copy. */
final class EngineBatchStream implements BatchStream {
  /**
   * The rows a batch has when the size cannot be changed later (see {@link
   * DriverAccess#batchSizeAddress}): about the best one for TPC-H's lineitem, and a number that
   * stands nowhere else by chance.
   */
  private static final long FIXED_ROWS = 20_477;

  /** What Arrow's struct vector says, which takes fields of the same name for one. */
  private static final String NAMELESS_STRUCT = "ArrowArray struct has ";

  private final DuckDBResultSet result;
  private final ArrowReader reader;
  private final VectorSchemaRoot root;
  private final Schema schema;
  private final Optional<MemorySegment> batchSize;
  private final BatchSizer sizer;
  private final Representable representable;
  private final OpenResults results;
  private final BooleanSupplier isCutOff;
  private boolean exhausted;

  private EngineBatchStream(
      DuckDBResultSet result,
      ArrowReader reader,
      Optional<MemorySegment> batchSize,
      OpenResults results,
      BooleanSupplier isCutOff)
      throws IOException {
    this.results = results;
    this.isCutOff = isCutOff;
    this.result = result;
    this.reader = reader;
    this.root = reader.getVectorSchemaRoot();
    this.schema = wireSchema(root.getSchema(), reader);
    this.batchSize = batchSize;
    this.sizer = new BatchSizer(root.getSchema());
    this.representable = new Representable(root.getSchema().getFields());
  }

  /**
   * @param results that this one is counted among
   * @param isCutOff whether the connection was closed under the stream, which DuckDB then ends as
   *     if there were no more rows
   */
  @SuppressWarnings("restricted") // the one field of the C stream that DriverAccess has found
  static BatchStream open(
      DuckDBResultSet result,
      BufferAllocator allocator,
      OpenResults results,
      BooleanSupplier isCutOff)
      throws EngineException {
    try {
      long address = DriverAccess.exportStream(result, FIXED_ROWS);
      OptionalLong found = DriverAccess.batchSizeAddress(address, FIXED_ROWS);
      Optional<MemorySegment> batchSize =
          found.isPresent()
              ? Optional.of(MemorySegment.ofAddress(found.getAsLong()).reinterpret(Long.BYTES))
              : Optional.empty();
      ArrowReader reader = Data.importArrayStream(allocator, ArrowArrayStream.wrap(address));
      try {
        var stream = new EngineBatchStream(result, reader, batchSize, results, isCutOff);
        results.opened();
        return stream;
      } catch (IOException | RuntimeException e) {
        reader.close();
        throw e;
      }
    } catch (SQLException | IOException | RuntimeException e) {
      throw EngineException.of(e);
    }
  }

  @Override
  public Schema schema() {
    return schema;
  }

  private static Schema wireSchema(Schema inMemory, DictionaryProvider dictionaries) {
    return new Schema(
        inMemory.getFields().stream()
            .map(field -> DictionaryUtility.toMessageFormat(field, dictionaries, new HashSet<>()))
            .toList());
  }

  @Override
  public boolean next() throws EngineException {
    try {
      if (exhausted) {
        return false;
      }
      long wanted = sizer.rows();
      batchSize.ifPresent(segment -> segment.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, wanted));
      boolean loaded = reader.loadNextBatch();
      // DuckDB fills a batch as long as there are rows: a short one is the last.
      exhausted = !loaded || (batchSize.isPresent() && root.getRowCount() < wanted);
      if (exhausted && isCutOff.getAsBoolean()) {
        throw new EngineException(
            EngineError.CLOSED, "Connection was closed before all rows of the result were read");
      }
      if (loaded) {
        sizer.sent(root);
        representable.requireValues(root);
      }
      return loaded;
    } catch (IOException | RuntimeException e) {
      if (String.valueOf(e.getMessage()).startsWith(NAMELESS_STRUCT)) {
        throw new EngineException(
            EngineError.UNREPRESENTABLE,
            "a struct whose fields have no names cannot be sent: name them, for instance by"
                + " struct_pack(a := 1, b := 2)");
      }
      throw EngineException.of(e);
    }
  }

  @Override
  public boolean isExhausted() {
    return exhausted;
  }

  @Override
  public VectorSchemaRoot root() {
    return root;
  }

  @Override
  public DictionaryProvider dictionaries() {
    return reader;
  }

  @Override
  public void close() throws EngineException {
    results.closed();
    try (result;
        reader) {
      // Reader first, then the result it came from.
    } catch (SQLException | IOException e) {
      throw EngineException.of(e);
    }
  }
}
