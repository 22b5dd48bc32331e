package com.lokryn.ducklake.engine;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.apache.arrow.memory.BufferAllocator;
import org.duckdb.DuckDBPreparedStatement;
import org.duckdb.DuckDBResultSet;
import org.duckdb.DuckDBResultSetMetaData;
import org.jspecify.annotations.Nullable;

/** A planned statement on its connection. Used by one thread at a time. */
public final class EngineStatement implements AutoCloseable {
  /** What running a statement gives. */
  public enum Kind {
    /** Rows. */
    QUERY,
    /** A number of changed rows: INSERT, UPDATE, DELETE, MERGE, CREATE TABLE AS, COPY. */
    CHANGES,
    /** Nothing: other DDL, USE, SET. */
    NOTHING
  }

  /** A column or parameter as DuckDB names it; the type is null where it has to be guessed. */
  public record Typed(String name, @Nullable String type) {}

  private final DuckDBPreparedStatement driver;
  private final boolean isPlainChange;
  private final BufferAllocator allocator;
  private final OpenResults results;
  private final BooleanSupplier isCutOff;

  /**
   * @param isCutOff whether its connection was closed
   * @param isPlainChange true for what changes rows and gives none: while the type of a parameter
   *     is open, the driver takes every statement for a query
   */
  EngineStatement(
      DuckDBPreparedStatement driver,
      boolean isPlainChange,
      BufferAllocator allocator,
      OpenResults results,
      BooleanSupplier isCutOff) {
    this.results = results;
    this.isCutOff = isCutOff;
    this.driver = driver;
    this.isPlainChange = isPlainChange;
    this.allocator = allocator;
  }

  public Kind kind() throws EngineException {
    if (isPlainChange) {
      return Kind.CHANGES;
    }
    try {
      return switch (metadata().getReturnType()) {
        case QUERY_RESULT -> Kind.QUERY;
        case CHANGED_ROWS -> Kind.CHANGES;
        case NOTHING -> Kind.NOTHING;
      };
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /** The columns as planned; with parameters of unknown type they can change when one is bound. */
  public List<Typed> columns() throws EngineException {
    try {
      return columns(metadata());
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /** Refuses, before it is run, a statement whose columns Arrow cannot carry. */
  public void requireRepresentable() throws EngineException {
    Representable.requireTypes(columns());
  }

  /** The parameters in the order of their numbers. */
  public List<Typed> parameters() throws EngineException {
    try {
      var meta = driver.getParameterMetaData();
      var parameters = new ArrayList<Typed>(meta.getParameterCount());
      for (int i = 1; i <= meta.getParameterCount(); i++) {
        parameters.add(new Typed(Integer.toString(i), known(meta.getParameterTypeName(i))));
      }
      return parameters;
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /** Sets all parameters: values as {@code setObject} of the driver takes them. */
  public void bind(List<@Nullable Object> values) throws EngineException {
    try {
      int expected = driver.getParameterMetaData().getParameterCount();
      if (values.size() != expected) {
        throw new EngineException(
            EngineError.INVALID_INPUT,
            "Invalid Input Error: the statement has %d parameters, but %d values were given"
                .formatted(expected, values.size()));
      }
      for (int i = 0; i < values.size(); i++) {
        driver.setObject(i + 1, values.get(i));
      }
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /**
   * Starts the statement and returns once its first rows are there. For plans that have to see all
   * rows first, such as an aggregate, that takes as long as the plan.
   */
  public BatchStream executeQuery() throws EngineException {
    try {
      // Before anything runs: a refused statement has changed nothing.
      requireRepresentable();
      driver.execute();
      var result = (DuckDBResultSet) driver.getResultSet();
      Representable.requireTypes(columns((DuckDBResultSetMetaData) result.getMetaData()));
      return EngineBatchStream.open(result, allocator, results, isCutOff);
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  /** Runs the statement to its end and returns the rows changed; 0 for one that changes none. */
  public long executeUpdate() throws EngineException {
    try {
      // The driver answers -1 to statements that change no rows.
      return Math.max(0, driver.executeLargeUpdate());
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }

  private static List<Typed> columns(DuckDBResultSetMetaData meta) throws SQLException {
    var columns = new ArrayList<Typed>(meta.getColumnCount());
    for (int i = 1; i <= meta.getColumnCount(); i++) {
      columns.add(new Typed(meta.getColumnName(i), known(meta.getColumnTypeName(i))));
    }
    return columns;
  }

  private DuckDBResultSetMetaData metadata() throws SQLException {
    return (DuckDBResultSetMetaData) driver.getMetaData();
  }

  private static @Nullable String known(String type) {
    return switch (type) {
      case "UNKNOWN", "INVALID", "NULL", "\"NULL\"" -> null;
      default -> type;
    };
  }

  @Override
  public void close() throws EngineException {
    try {
      driver.close();
    } catch (SQLException e) {
      throw EngineException.of(e);
    }
  }
}
