package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.observe.QueryId;
import java.util.List;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * A statement with effects that a client asked a FlightInfo for. It runs when the client fetches
 * the ticket, so that a driver that asks twice, or never fetches, does not run it twice or at all.
 */
public final class PendingUpdate implements QueryResult {
  /** What DuckDB itself answers to such a statement. */
  public static final Schema COUNT =
      new Schema(
          List.of(new Field("Count", FieldType.nullable(new ArrowType.Int(64, true)), List.of())));

  private final QueryId id;
  private final Session session;
  private final SqlText text;
  private final Parameters parameters;
  private final Cancellation cancellation;
  private final QueryService service;

  PendingUpdate(
      QueryId id,
      Session session,
      SqlText text,
      Parameters parameters,
      Cancellation cancellation,
      QueryService service) {
    this.id = id;
    this.session = session;
    this.text = text;
    this.parameters = parameters;
    this.cancellation = cancellation;
    this.service = service;
  }

  /** Runs it, and returns the rows changed. */
  public long run() throws EngineException {
    return service.update(id, session, text, parameters, cancellation);
  }

  @Override
  public QueryId id() {
    return id;
  }

  @Override
  public Session session() {
    return session;
  }

  @Override
  public Schema schema() {
    return COUNT;
  }

  @Override
  public Cancellation cancellation() {
    return cancellation;
  }

  @Override
  public void abandon() {
    // Nothing was opened.
  }
}
