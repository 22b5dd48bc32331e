package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineStatement;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.observe.QueryId;
import java.util.Optional;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/**
 * A statement that was planned for a client: what it takes and gives, the values bound last, and
 * the planned statement on its own connection, which a run takes and gives back. Thread-safe.
 */
public final class PreparedQuery implements AutoCloseable {
  /**
   * A planned statement and the connection it was planned on.
   *
   * @param clean true when the connection may serve another statement afterwards
   */
  record Planned(
      EngineConnection connection, EngineStatement statement, Namespace namespace, boolean clean)
      implements AutoCloseable {
    /** Gives up a connection on which something failed or was cancelled. */
    @Override
    public void close() {
      connection.close();
    }

    /** Gives up a connection that is idle. */
    void retire() throws EngineException {
      statement.close();
      if (clean) {
        connection.giveBack();
      } else {
        connection.close();
      }
    }
  }

  private final QueryId handle;
  private final Session session;
  private final Admitted admitted;
  private final EngineStatement.Kind kind;
  private final Schema resultSchema;
  private final Schema parameterSchema;
  private final Budget.Share share;
  private final Plans plans;
  private Parameters parameters = Parameters.NONE;
  private @Nullable Planned planned;
  private boolean closed;

  PreparedQuery(
      QueryId handle,
      Session session,
      Admitted admitted,
      EngineStatement.Kind kind,
      Schema resultSchema,
      Schema parameterSchema,
      Budget.Share share,
      Plans plans) {
    this.handle = handle;
    this.session = session;
    this.admitted = admitted;
    this.kind = kind;
    this.resultSchema = resultSchema;
    this.parameterSchema = parameterSchema;
    this.share = share;
    this.plans = plans;
  }

  public QueryId handle() {
    return handle;
  }

  public Session session() {
    return session;
  }

  SqlText text() {
    return admitted.text();
  }

  Admitted admitted() {
    return admitted;
  }

  /** What another server needs to plan the same; empty where it cannot. */
  public Optional<Portable> portable() {
    return Portable.of(session, text(), Parameters.NONE);
  }

  /** True when running it gives rows, false when it changes something. */
  public boolean isQuery() {
    return kind == EngineStatement.Kind.QUERY;
  }

  /**
   * What it gives, as planned. Parameters whose type only a value tells can change it: the schema
   * of a run is exact.
   */
  public Schema resultSchema() {
    return resultSchema;
  }

  /** One field per parameter, named by its number; text where any type would do. */
  public Schema parameterSchema() {
    return parameterSchema;
  }

  /** Keeps values for the next run, in the place of those before. */
  public synchronized void bind(Parameters values) {
    share.add(values.heapBytes() - parameters.heapBytes());
    parameters = values;
  }

  /** True once values were sent for the next run. */
  public synchronized boolean isBound() {
    return parameters.bound();
  }

  public synchronized Parameters parameters() {
    return parameters;
  }

  /** Takes the planned statement for a run, if it is free and still means the same. */
  Optional<Planned> take() {
    plans.remove(this);
    return taken();
  }

  private synchronized Optional<Planned> taken() {
    Planned taken = planned;
    planned = null;
    if (taken != null && !taken.namespace.equals(session.namespace())) {
      taken.close();
      taken = null;
    }
    return Optional.ofNullable(taken);
  }

  /** Gives a planned statement for the next run. */
  void give(Planned free) {
    if (given(free)) {
      plans.add(this).ifPresent(PreparedQuery::dropPlan);
    }
  }

  private synchronized boolean given(Planned free) {
    if (closed || planned != null) {
      free.close();
      return false;
    }
    planned = free;
    return true;
  }

  private synchronized void dropPlan() {
    if (planned != null) {
      planned.close();
      planned = null;
    }
  }

  /** Ends it, unless it has a plan, which is closed in the engine; false then. */
  public synchronized boolean closeUnplanned() {
    if (planned != null) {
      return false;
    }
    closed = true;
    share.close();
    return true;
  }

  @Override
  public void close() throws EngineException {
    plans.remove(this);
    end();
  }

  private synchronized void end() throws EngineException {
    closed = true;
    share.close();
    if (planned != null) {
      planned.retire();
      planned = null;
    }
  }
}
