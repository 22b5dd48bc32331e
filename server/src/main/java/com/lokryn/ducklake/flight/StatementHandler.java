package com.lokryn.ducklake.flight;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.TypeFacts;
import com.lokryn.ducklake.flight.Handles.Handle;
import com.lokryn.ducklake.flight.Handles.Kind;
import com.lokryn.ducklake.query.Partitioned;
import com.lokryn.ducklake.query.PreparedQuery;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.QueryException;
import com.lokryn.ducklake.query.QueryResult;
import com.lokryn.ducklake.query.QueryService;
import com.lokryn.ducklake.query.ResultSource;
import com.lokryn.ducklake.query.Results;
import com.lokryn.ducklake.query.Session;
import java.util.Optional;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.vector.types.pojo.Schema;

/** Statements that come as text, and the tickets of what they started. */
final class StatementHandler {
  private final QueryService queries;
  private final Results results;
  private final TransactionHandler transactions;
  private final FlightInfos infos;
  private final Handles handles;

  StatementHandler(
      QueryService queries,
      Results results,
      TransactionHandler transactions,
      FlightInfos infos,
      Handles handles) {
    this.handles = handles;
    this.infos = infos;
    this.queries = queries;
    this.results = results;
    this.transactions = transactions;
  }

  /** Starts a query, whose result then waits for its ticket. */
  Flight.FlightInfo info(
      FlightSql.CommandStatementQuery command, Flight.FlightDescriptor descriptor, Call call)
      throws EngineException {
    Session session = session(command.hasTransactionId(), command.getTransactionId(), call);
    Optional<Partitioned> parts =
        queries.partition(session, command.getQuery(), call.cancellation());
    return parts.isPresent()
        ? divided(parts.get(), session, descriptor)
        : started(
            queries.start(session, command.getQuery(), call.source(), call.cancellation()),
            descriptor);
  }

  /** The same without the engine, on any thread, where the result is at hand. */
  Optional<Flight.FlightInfo> infoAtHand(
      FlightSql.CommandStatementQuery command, Flight.FlightDescriptor descriptor, Call call) {
    return command.hasTransactionId() || call.source() != ResultSource.ANY
        ? Optional.empty()
        : queries
            .startAtHand(call.session(), command.getQuery(), call.cancellation())
            .map(result -> started(result, descriptor));
  }

  /** The schema of a query that is not run. */
  Schema schema(FlightSql.CommandStatementQuery command, Call call) throws EngineException {
    Session session = session(command.hasTransactionId(), command.getTransactionId(), call);
    try (PreparedQuery prepared =
        queries.prepare(session, command.getQuery(), call.cancellation())) {
      return TypeFacts.without(prepared.resultSchema());
    }
  }

  /** Runs a statement, and returns the rows changed. */
  long update(FlightSql.CommandStatementUpdate command, Call call) throws EngineException {
    Session session = session(command.hasTransactionId(), command.getTransactionId(), call);
    return queries.update(session, command.getQuery(), call.cancellation());
  }

  /** Hands out the ticket of a result. */
  Flight.FlightInfo started(QueryResult result, Flight.FlightDescriptor descriptor) {
    Schema schema = result.schema();
    results.park(result);
    return infos.of(
        schema,
        descriptor,
        ticket(
            handles.write(
                Kind.RESULT, result.id().value(), result.session().user(), result.portable())));
  }

  /** Hands out the tickets of the parts of a result, of which nothing was started. */
  Flight.FlightInfo divided(
      Partitioned parts, Session session, Flight.FlightDescriptor descriptor) {
    return infos.of(
        parts.schema(),
        descriptor,
        parts.parts().stream().map(part -> ticket(handles.write(part, session.user()))).toList());
  }

  private static ByteString ticket(ByteString handle) {
    return Any.pack(FlightSql.TicketStatementQuery.newBuilder().setStatementHandle(handle).build())
        .toByteString();
  }

  /** What a ticket stands for, as far as its signature and its owner go. */
  Handle read(FlightSql.TicketStatementQuery ticket, Call call) {
    ByteString handle = ticket.getStatementHandle();
    return handles.read(
        handles.isOf(Kind.PART, handle) ? Kind.PART : Kind.RESULT, handle, call.session().user());
  }

  /** True when the result is here, or nowhere: then it can be claimed without the engine. */
  boolean isHere(Handle ticket) {
    return ticket.part().isEmpty() && (handles.isOwn(ticket) || ticket.portable().isEmpty());
  }

  /** The result a ticket stands for; of several requests one gets it. */
  QueryResult claim(Handle ticket) {
    if (!handles.isOwn(ticket)) {
      throw new QueryException(
          Problem.UNKNOWN_HANDLE,
          "this result is on another server, and cannot be made here: it is of a change, of a"
              + " transaction or of a session with temporary objects, or has bound values");
    }
    return results.claim(ticket.id());
  }

  /** Gives the rows of a ticket that another server of the lake has made, or any for a part. */
  QueryResult startHere(Handle ticket, Call call) throws EngineException {
    if (ticket.part().isPresent()) {
      return queries.start(call.session(), ticket.part().get(), call.cancellation());
    }
    return queries.start(call.session(), ticket.portable().orElseThrow(), call.cancellation());
  }

  private Session session(boolean inTransaction, ByteString transaction, Call call) {
    return inTransaction ? transactions.session(transaction, call) : call.session();
  }
}
