package com.lokryn.ducklake.engine;

import com.lokryn.ducklake.engine.OpenResults.Ahead;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.apache.arrow.c.ArrowArrayStream;
import org.apache.arrow.memory.BufferAllocator;
import org.duckdb.DriverAccess;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.duckdb.DuckDBPreparedStatement;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection of the engine. It carries one stream at a time: a second statement ends an open
 * stream of the same connection early and without an error, so whoever needs both takes two
 * connections. Used by one thread at a time, except for {@link #interrupt}.
 */
public final class EngineConnection implements AutoCloseable {
  private static final String DEFAULT_SCHEMA = "main";
  private static final long ABORT_MS = 2_000;

  /** How often a transaction is tried to be rolled back, and with which pauses: ten seconds. */
  private static final int MAX_ENDINGS = 200;

  private static final long ENDING_PAUSE_NANOS = 50_000_000;
  private static final Logger LOG = LoggerFactory.getLogger(EngineConnection.class);

  private final DuckDBConnection driver;
  private final Namespace placed;
  private final BufferAllocator allocator;
  private final Engine engine;

  /** True once a transaction was begun here that may be open yet. */
  private volatile boolean transaction;

  /** When, in nanoseconds of {@link System#nanoTime}; means something while there is one. */
  private volatile long transactionBegan;

  private final AtomicBoolean closed = new AtomicBoolean();

  private final HeldSchemas schemas;

  /** How far results of the driver's connection run ahead. */
  private Ahead ahead;

  /**
   * @param ahead how far results of the driver's connection run ahead
   * @param schemas that plans and transactions of the driver's connection use
   */
  EngineConnection(
      DuckDBConnection driver,
      Namespace placed,
      Ahead ahead,
      BufferAllocator allocator,
      Engine engine,
      HeldSchemas schemas) {
    this.schemas = schemas;
    this.ahead = ahead;
    this.driver = driver;
    this.placed = placed;
    this.allocator = allocator;
    this.engine = engine;
  }

  /** Puts macros before the functions that have no bounds. */
  void bound() throws EngineException {
    try {
      for (String macro : BoundedFunctions.statements()) {
        run(macro);
      }
    } catch (EngineException e) {
      close();
      throw e;
    }
  }

  /** Has results run ahead so far from here on. */
  void runAhead(Ahead wanted) throws EngineException {
    if (wanted == ahead) {
      return;
    }
    try {
      run(wanted.statement());
      ahead = wanted;
    } catch (EngineException e) {
      close();
      throw e;
    }
  }

  void use(Namespace namespace) throws EngineException {
    try {
      // Catalog first: setting a schema looks for it in the catalog. Both ask the lake, so what is
      // the default anyway is left out.
      driver.setCatalog(namespace.catalog());
      if (!namespace.schema().equals(DEFAULT_SCHEMA)) {
        driver.setSchema(namespace.schema());
      }
    } catch (SQLException e) {
      close();
      throw EngineException.of(e);
    }
  }

  /** Where this connection looks names up now, after a `USE` for instance. */
  public Namespace namespace() throws EngineException {
    try {
      return new Namespace(driver.getCatalog(), driver.getSchema());
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /**
   * Plans a statement. The text must be a single statement: DuckDB's driver runs all but the last
   * while it prepares.
   */
  public EngineStatement prepare(SqlText text) throws EngineException {
    if (text.isBegin()) {
      transaction = true;
      schemas.transactionChanges();
    }
    try {
      return new EngineStatement(
          (DuckDBPreparedStatement) driver.prepareStatement(text.sql()),
          text.isPlainChange(),
          allocator,
          engine.results(),
          closed::get);
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /**
   * Begins a transaction.
   *
   * @param readOnly nothing but temporary objects can be changed in it
   */
  public void begin(boolean readOnly) throws EngineException {
    transaction = true;
    schemas.transactionChanges();
    transactionBegan = System.nanoTime();
    run(readOnly ? "BEGIN TRANSACTION READ ONLY" : "BEGIN");
  }

  /** True when the schema that the open transaction sees is held for it. */
  public boolean isSchemaHeld() {
    return schemas.isForTransaction();
  }

  /**
   * Has the schema that the open transaction sees held as long as this connection may use it, if it
   * is held for others already; before the transaction looks at it.
   *
   * @param version of the schema
   * @return false when it has to be read: see {@link #readSchema}
   */
  public boolean holdSchema(long version) {
    return schemas.hold(version);
  }

  /**
   * The same where it may have to be read, for which it takes a connection to the catalog for a
   * moment, besides the one that a transaction has.
   *
   * @param snapshot of the lake that has this version
   */
  public void readSchema(long version, long snapshot) throws EngineException {
    schemas.read(version, snapshot);
  }

  /**
   * To be called after what makes DuckLake forget schemas that it has read: snapshots that expire,
   * inlined rows that are flushed.
   */
  public void schemasForgotten() {
    engine.pins().forget();
  }

  /** A commit of changes. */
  public interface Commit<T> {
    T run() throws EngineException;
  }

  /**
   * Commits changes while no other connection of the instance does. Of commits at once DuckLake has
   * all but one begin anew after a pause, for which each of them reads the schema again.
   */
  public <T> T committing(Commit<T> commit) throws EngineException {
    return engine.pins().reading(commit::run);
  }

  /** Commits a transaction; when that fails it has ended all the same. */
  public void commit() throws EngineException {
    end("COMMIT");
  }

  private void end(String sql) throws EngineException {
    try {
      run(sql);
      transaction = false;
      schemas.transactionChanges();
    } catch (EngineException e) {
      ended(e);
      throw e;
    }
  }

  /** To be told by whoever ends a transaction by a statement of their own. */
  public void ended() {
    schemas.transactionChanges();
  }

  /** The same where that has failed; the transaction has ended all the same. */
  public void ended(EngineException failure) {
    ended();
    if (failure.error().isOfCatalogConnection()) {
      engine.lostCatalogConnection();
    }
  }

  /** Runs a statement whose result, if any, does not matter. */
  public void run(String sql) throws EngineException {
    try (var statement = driver.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /**
   * Rolls a transaction back that has failed.
   *
   * @param failure why; keeps what the rollback says, as a failed commit has ended the transaction
   *     already
   */
  public void rollBack(Exception failure) {
    try {
      end("ROLLBACK");
    } catch (EngineException e) {
      failure.addSuppressed(e);
    }
  }

  /** Runs a small query and gives its rows as text; for the server's own questions. */
  public List<List<String>> rows(String sql, Object... parameters) throws EngineException {
    try {
      return rows(driver, sql, parameters);
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /** The same on another connection of the instance; see {@link Engine#rowsApart}. */
  public List<List<String>> rowsApart(String sql) throws EngineException {
    return engine.rowsApart(sql);
  }

  static List<List<String>> rows(DuckDBConnection driver, String sql, Object... parameters)
      throws SQLException {
    try (var statement = driver.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      var rows = new ArrayList<List<String>>();
      try (var result = statement.executeQuery()) {
        int columns = result.getMetaData().getColumnCount();
        while (result.next()) {
          var row = new ArrayList<String>(columns);
          for (int column = 1; column <= columns; column++) {
            row.add(result.getString(column));
          }
          rows.add(row);
        }
      }
      return rows;
    }
  }

  /**
   * Appends rows to a temporary table of this connection.
   *
   * @param rows of {@link String}, {@link Long}, {@link Double}, {@link Boolean}, {@link
   *     OffsetDateTime} and null, as the columns of the table have it
   */
  public void append(String temporaryTable, List<List<@Nullable Object>> rows)
      throws EngineException {
    try (DuckDBAppender appender = driver.createAppender("temp", DEFAULT_SCHEMA, temporaryTable)) {
      for (List<@Nullable Object> row : rows) {
        appender.beginRow();
        for (Object value : row) {
          append(appender, value);
        }
        appender.endRow();
      }
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  private static void append(DuckDBAppender appender, @Nullable Object value) throws SQLException {
    switch (value) {
      case null -> appender.appendNull();
      case String text -> appender.append(text);
      case Long number -> appender.append(number.longValue());
      case Double number -> appender.append(number.doubleValue());
      case Boolean flag -> appender.append(flag.booleanValue());
      case OffsetDateTime time -> appender.append(time);
      default -> throw new IllegalArgumentException("a value of " + value.getClass());
    }
  }

  /**
   * Shows the batches of a stream as a temporary view of this connection. The view can be read
   * once; the engine pulls the batches while it does.
   */
  public void register(String viewName, ArrowArrayStream stream) throws EngineException {
    try {
      driver.registerArrowStream(viewName, stream);
    } catch (RuntimeException e) {
      throw EngineException.of(e);
    }
  }

  /**
   * Stops what runs or streams on this connection, from any thread; the connection stays usable. An
   * interrupt that comes before the engine has begun is forgotten by it, so a caller repeats it
   * until the work has ended.
   */
  public void interrupt() {
    if (closed.get()) {
      return;
    }
    try {
      DriverAccess.interrupt(driver);
    } catch (SQLException ignored) {
      // Closed meanwhile: there is nothing left to stop.
    }
  }

  /** Has the engine look at the progress of what runs here from now on. */
  public void watchProgress() throws EngineException {
    run("SET enable_progress_bar_print=false");
    run("SET enable_progress_bar=true");
  }

  /**
   * How much of what runs here is done, from 0 to 1, in the engine's own estimate; from any thread.
   * Empty where nothing runs, or nobody looks.
   */
  public OptionalDouble progress() {
    if (closed.get()) {
      return OptionalDouble.empty();
    }
    try {
      double percent = DriverAccess.progress(driver);
      return percent < 0 ? OptionalDouble.empty() : OptionalDouble.of(Math.min(percent, 100) / 100);
    } catch (SQLException e) {
      // Closed meanwhile.
      return OptionalDouble.empty();
    }
  }

  /** True once it was closed, by its owner or with the whole engine. */
  public boolean isClosed() {
    return closed.get();
  }

  /**
   * Ends this use of the connection as {@link #close} does, but lets the engine use what is below
   * it again. Only for a caller who knows that its statements left no state behind, have ended
   * well, and will not be interrupted any more.
   */
  public void giveBack() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    schemas.release();
    engine.closed(this);
    try {
      engine.idle(placed, driver, ahead);
    } catch (SQLException e) {
      throw new IllegalStateException("closing a connection failed", e);
    }
  }

  /**
   * Ends this use of the connection as {@link #giveBack} does, in the middle of a transaction that
   * has only read: another statement may go on in it; see {@link Engine#connectWithin}.
   *
   * @param snapshot of the lake that the transaction sees
   */
  public void giveBackReading(long snapshot) {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    var next = new EngineConnection(driver, placed, ahead, allocator, engine, schemas);
    next.transaction = true;
    next.transactionBegan = transactionBegan;
    // Before this one is known to be closed: an engine that nothing uses any more may be closed.
    engine.keep(next, snapshot);
    engine.closed(this);
  }

  long transactionBegan() {
    return transactionBegan;
  }

  boolean isPlacedIn(Namespace namespace) {
    return placed.equals(namespace);
  }

  /** Ends a transaction that has only read, and gives the connection back. */
  void endRead() {
    try {
      end("ROLLBACK");
      giveBack();
    } catch (EngineException _) {
      // It was lost with its connection to the catalog; what it read was whole.
      close();
    }
  }

  /**
   * DuckLake rolls back what is open when its connection goes; where that fails, on an instance
   * that takes nothing any more, with a catalog that is away or without memory, it ends the
   * process. So it is rolled back by a statement, whose failure is one only. One that found no
   * memory has not begun: it is repeated until somebody else's statement has given some back.
   *
   * @return false when the connection is better let go of unclosed
   */
  private boolean endTransaction() {
    for (int attempt = 0; attempt < MAX_ENDINGS && !engine.isInvalidated(); attempt++) {
      try {
        end("ROLLBACK");
        return true;
      } catch (EngineException e) {
        if (e.error() == EngineError.NO_TRANSACTION) {
          return true;
        }
      }
      LockSupport.parkNanos(ENDING_PAUSE_NANOS);
      if (Thread.currentThread().isInterrupted()) {
        return false;
      }
    }
    LOG.warn("a connection whose transaction cannot be rolled back is kept unclosed");
    return false;
  }

  /**
   * Closes it under whoever uses it. What runs is interrupted, and waited for a while: the rest of
   * the process does not wait for an expression that cannot be stopped.
   */
  void abort() {
    if (!transaction) {
      close();
      return;
    }
    interrupt();
    Thread closing = EngineThreads.factory("connection-abort").newThread(this::close);
    closing.start();
    try {
      closing.join(ABORT_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    engine.closed(this);
    if (transaction && !endTransaction()) {
      return;
    }
    try {
      driver.close();
    } catch (SQLException e) {
      throw new IllegalStateException("closing a connection failed", e);
    }
    schemas.release();
  }
}
