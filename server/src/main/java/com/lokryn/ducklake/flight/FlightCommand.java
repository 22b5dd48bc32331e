package com.lokryn.ducklake.flight;

import org.apache.arrow.flight.sql.impl.FlightSql;

/** The commands of Flight SQL, in descriptors and in tickets. */
sealed interface FlightCommand {
  /** A command whose answer is a stream of rows. */
  sealed interface RowSource extends FlightCommand {}

  /** A command whose upload changes something. */
  sealed interface Upload extends FlightCommand {}

  record Query(FlightSql.CommandStatementQuery message) implements RowSource {}

  record Prepared(FlightSql.CommandPreparedStatementQuery message) implements RowSource, Upload {}

  /** The ticket of a result that was started. */
  record Started(FlightSql.TicketStatementQuery message) implements RowSource {}

  /** A question about the catalog or the server, which its own ticket answers. */
  record Metadata(MetadataQuestion question) implements RowSource {}

  record Update(FlightSql.CommandStatementUpdate message) implements Upload {}

  record PreparedUpdate(FlightSql.CommandPreparedStatementUpdate message) implements Upload {}

  record Ingest(FlightSql.CommandStatementIngest message) implements Upload {}

  /** A message we know and refuse. */
  record Refused(String name) implements RowSource, Upload {}
}
