package com.lokryn.ducklake.query;

import com.lokryn.ducklake.observe.QueryId;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * A statement with effects that a client asked a FlightInfo for. It has run by then: ADBC's driver
 * asks for the FlightInfo to execute, and ends the fetch of its ticket, unread, when the next
 * statement is executed. What waits for the ticket is the count, which can be fetched once.
 *
 * @param rows the rows changed
 */
public record CompletedUpdate(QueryId id, Session session, Cancellation cancellation, long rows)
    implements QueryResult {
  /** What DuckDB itself answers to such a statement. */
  public static final Schema COUNT =
      new Schema(
          List.of(new Field("Count", FieldType.nullable(new ArrowType.Int(64, true)), List.of())));

  @Override
  public Schema schema() {
    return COUNT;
  }

  /** Its effect is done, and the count is here. */
  @Override
  public Optional<Portable> portable() {
    return Optional.empty();
  }

  @Override
  public void abandon() {
    // Nothing is open.
  }
}
