package org.duckdb;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.sql.SQLException;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * What the server needs of the driver and the driver keeps package-private: interrupting a
 * connection whose statement already streams ({@code Statement.cancel} covers {@code execute()}
 * only), and the C stream behind a result. The driver is on the class path and its jar is not
 * sealed; its version is pinned by the build and these methods are covered by tests.
 */
public final class DriverAccess {
  private static final VarHandle RESULT_REF = resultRef();

  /**
   * Where, in bytes behind the start of DuckDB's {@code ResultArrowArrayStreamWrapper}, its {@code
   * batch_size} may lie. The wrapper starts with the five pointers of the {@code ArrowArrayStream}
   * and is longer than 256 bytes, so that the search stays inside it.
   */
  private static final long SEARCH_FROM_BYTES = 40;

  private static final long SEARCH_TO_BYTES = 256;

  private DriverAccess() {}

  /**
   * Interrupts whatever runs or streams on the connection; the connection stays usable. Returns
   * false when the connection was busy planning and nothing was done: call again.
   */
  public static boolean interrupt(DuckDBConnection connection) throws SQLException {
    try {
      if (!connection.connRefLock.tryLock(20, TimeUnit.MILLISECONDS)) {
        return false;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    try {
      if (connection.connRef != null) {
        connection.interrupt();
      }
      return true;
    } finally {
      connection.connRefLock.unlock();
    }
  }

  /**
   * How much of what runs on the connection is done, in percent; negative where nobody knows. Known
   * only where the connection shows its progress.
   */
  public static double progress(DuckDBConnection connection) throws SQLException {
    if (!connection.connRefLock.tryLock()) {
      return -1;
    }
    try {
      return connection.connRef == null ? -1 : connection.queryProgress().getPercentage();
    } finally {
      connection.connRefLock.unlock();
    }
  }

  /**
   * Moves the result out of the result set into an Arrow C stream and returns its address. The
   * caller owns the stream.
   *
   * @param rowsPerBatch rows of one batch; see {@link #batchSizeAddress}
   */
  public static long exportStream(DuckDBResultSet result, long rowsPerBatch) throws SQLException {
    return DuckDBNative.duckdb_jdbc_arrow_stream((ByteBuffer) RESULT_REF.get(result), rowsPerBatch);
  }

  /**
   * The address of the batch size inside a stream that {@link #exportStream} just made with {@code
   * rowsPerBatch}. DuckDB reads that field anew for each batch, but offers no call to change it
   * once a stream is open, and one size for a whole result is either late with the first rows or
   * slow with the rest, and blind to the real width of strings. The field is found by its value,
   * which therefore has to be an unlikely number; when it is not there exactly once, empty is
   * returned and the stream keeps its size.
   */
  @SuppressWarnings("restricted") // the stream that the driver just made
  public static OptionalLong batchSizeAddress(long streamAddress, long rowsPerBatch) {
    MemorySegment wrapper = MemorySegment.ofAddress(streamAddress).reinterpret(SEARCH_TO_BYTES);
    OptionalLong found = OptionalLong.empty();
    for (long at = SEARCH_FROM_BYTES; at < SEARCH_TO_BYTES; at += Long.BYTES) {
      if (wrapper.get(ValueLayout.JAVA_LONG, at) == rowsPerBatch) {
        if (found.isPresent()) {
          return OptionalLong.empty();
        }
        found = OptionalLong.of(streamAddress + at);
      }
    }
    return found;
  }

  /** The C functions of the driver's library, which is loaded by that. */
  public static SymbolLookup library() {
    try {
      MethodHandles.lookup().ensureInitialized(DuckDBNative.class);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("this version of the DuckDB driver is not supported", e);
    }
    return SymbolLookup.loaderLookup();
  }

  private static VarHandle resultRef() {
    try {
      return MethodHandles.privateLookupIn(DuckDBResultSet.class, MethodHandles.lookup())
          .findVarHandle(DuckDBResultSet.class, "resultRef", ByteBuffer.class);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this version of the DuckDB driver is not supported", e);
    }
  }
}
