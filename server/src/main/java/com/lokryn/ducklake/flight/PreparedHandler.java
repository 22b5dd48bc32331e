package com.lokryn.ducklake.flight;

import com.google.protobuf.ByteString;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.TypeFacts;
import com.lokryn.ducklake.flight.Handles.Handle;
import com.lokryn.ducklake.flight.Handles.Kind;
import com.lokryn.ducklake.query.Expiring;
import com.lokryn.ducklake.query.Parameters;
import com.lokryn.ducklake.query.Partitioned;
import com.lokryn.ducklake.query.Portable;
import com.lokryn.ducklake.query.PreparedQuery;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.QueryException;
import com.lokryn.ducklake.query.QueryService;
import com.lokryn.ducklake.query.ResultSource;
import com.lokryn.ducklake.query.Session;
import java.util.Optional;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.vector.types.pojo.Schema;

/** Prepared statements: made, bound, run, forgotten. */
final class PreparedHandler {
  private final QueryService queries;
  private final StatementHandler statements;
  private final TransactionHandler transactions;
  private final Expiring<PreparedQuery> prepared;
  private final SchemaBytes schemas;
  private final Handles handles;

  PreparedHandler(
      QueryService queries,
      StatementHandler statements,
      TransactionHandler transactions,
      Expiring<PreparedQuery> prepared,
      SchemaBytes schemas,
      Handles handles) {
    this.handles = handles;
    this.schemas = schemas;
    this.queries = queries;
    this.statements = statements;
    this.transactions = transactions;
    this.prepared = prepared;
  }

  FlightSql.ActionCreatePreparedStatementResult create(
      FlightSql.ActionCreatePreparedStatementRequest request, Call call) throws EngineException {
    Session session =
        request.hasTransactionId()
            ? transactions.session(request.getTransactionId(), call)
            : call.session();
    return created(prepare(session, request.getQuery(), call), call);
  }

  /** The same without the engine, on any thread, where the result is at hand. */
  Optional<FlightSql.ActionCreatePreparedStatementResult> createAtHand(
      FlightSql.ActionCreatePreparedStatementRequest request, Call call) {
    return request.hasTransactionId()
        ? Optional.empty()
        : queries
            .prepareAtHand(call.session(), request.getQuery())
            .map(query -> created(query, call));
  }

  private FlightSql.ActionCreatePreparedStatementResult created(PreparedQuery query, Call call) {
    Session session = query.session();
    prepared.put(query.handle().value(), query);
    if (call.cancellation().isCancelled()) {
      // A client that has gone meanwhile will not close it.
      prepared.end(query.handle().value());
    }
    var result =
        FlightSql.ActionCreatePreparedStatementResult.newBuilder()
            .setPreparedStatementHandle(
                handles.write(
                    Kind.PREPARED, query.handle().value(), session.user(), query.portable()));
    if (query.isQuery()) {
      result.setDatasetSchema(schemas.of(query.resultSchema()));
    }
    // An empty dataset schema is how the JDBC driver tells an update from a query.
    if (!query.parameterSchema().getFields().isEmpty()) {
      result.setParameterSchema(
          schemas.of(ParameterSchema.announced(query.parameterSchema(), call.isOfJavaClient())));
    }
    return result.build();
  }

  /**
   * Plans a statement; a client that closes none has its oldest ones forgotten for it, but for
   * those that have values it sent.
   */
  private PreparedQuery prepare(Session session, String sql, Call call) throws EngineException {
    while (true) {
      try {
        return queries.prepare(session, sql, call.cancellation());
      } catch (QueryException e) {
        if (e.problem() != Problem.LIMIT) {
          throw e;
        }
        try (PreparedQuery oldest =
            prepared
                .takeOldest(query -> query.session() == session && !query.isBound())
                .orElseThrow(() -> e)) {
          call.cancellation().check();
        }
      }
    }
  }

  Flight.FlightInfo info(
      FlightSql.CommandPreparedStatementQuery command,
      Flight.FlightDescriptor descriptor,
      Call call)
      throws EngineException {
    PreparedQuery query = find(command.getPreparedStatementHandle(), call);
    Optional<Partitioned> parts = queries.partition(query, call.cancellation());
    return parts.isPresent()
        ? statements.divided(parts.get(), query.session(), descriptor)
        : statements.started(queries.start(query, call.source(), call.cancellation()), descriptor);
  }

  /** The same without the engine, on any thread, where the result is at hand. */
  Optional<Flight.FlightInfo> infoAtHand(
      FlightSql.CommandPreparedStatementQuery command,
      Flight.FlightDescriptor descriptor,
      Call call) {
    Handle read =
        handles.read(Kind.PREPARED, command.getPreparedStatementHandle(), call.session().user());
    return prepared
        .touch(read.id())
        .filter(_ -> call.source() == ResultSource.ANY)
        .flatMap(query -> queries.startAtHand(query, call.cancellation()))
        .map(result -> statements.started(result, descriptor));
  }

  Schema schema(FlightSql.CommandPreparedStatementQuery command, Call call) throws EngineException {
    return TypeFacts.without(find(command.getPreparedStatementHandle(), call).resultSchema());
  }

  /** Keeps values for the next run. */
  void bind(ByteString handle, Parameters parameters, Call call) throws EngineException {
    find(handle, call).bind(parameters);
  }

  /** Runs with the values given, and returns the rows changed. */
  long update(ByteString handle, Parameters parameters, Call call) throws EngineException {
    PreparedQuery query = find(handle, call);
    query.bind(parameters);
    return queries.update(query, call.cancellation());
  }

  /** Forgets a statement; to forget one twice is no error. */
  void close(FlightSql.ActionClosePreparedStatementRequest request, Call call) {
    prepared.end(
        handles
            .read(Kind.PREPARED, request.getPreparedStatementHandle(), call.session().user())
            .id());
  }

  /** The statement; one that another server has planned is planned here too, once. */
  private PreparedQuery find(ByteString handle, Call call) throws EngineException {
    Handle read = handles.read(Kind.PREPARED, handle, call.session().user());
    Optional<PreparedQuery> known = prepared.touch(read.id());
    if (known.isPresent()) {
      return known.get();
    }
    if (handles.isOwn(read)) {
      throw new QueryException(
          Problem.UNKNOWN_HANDLE,
          "this prepared statement was closed or not used for too long: prepare it again");
    }
    Portable portable =
        read.portable()
            .orElseThrow(
                () ->
                    new QueryException(
                        Problem.UNKNOWN_HANDLE,
                        "this prepared statement is on another server, and cannot be planned here:"
                            + " it changes something, or is of a transaction or of a session with"
                            + " temporary objects; prepare it again"));
    if (!portable.namespace().equals(call.session().namespace())) {
      throw new QueryException(
          Problem.UNKNOWN_HANDLE,
          "this prepared statement is on another server, where it looks names up in %s.%s, and this"
                  .formatted(portable.namespace().catalog(), portable.namespace().schema())
              + " session looks them up elsewhere; prepare it again");
    }
    PreparedQuery planned = prepare(call.session(), portable.sql(), call);
    prepared.put(read.id(), planned);
    return planned;
  }
}
