package com.lokryn.ducklake.flight;

import com.google.protobuf.ByteString;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.query.Expiring;
import com.lokryn.ducklake.query.Parameters;
import com.lokryn.ducklake.query.PreparedQuery;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.QueryException;
import com.lokryn.ducklake.query.QueryService;
import com.lokryn.ducklake.query.Session;
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

  PreparedHandler(
      QueryService queries,
      StatementHandler statements,
      TransactionHandler transactions,
      Expiring<PreparedQuery> prepared,
      SchemaBytes schemas) {
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
            ? transactions.session(request.getTransactionId())
            : call.session();
    PreparedQuery query = queries.prepare(session, request.getQuery(), call.cancellation());
    prepared.put(query.handle().value(), query);
    if (call.cancellation().isCancelled()) {
      // A client that has gone meanwhile will not close it.
      prepared.end(query.handle().value());
    }
    var result =
        FlightSql.ActionCreatePreparedStatementResult.newBuilder()
            .setPreparedStatementHandle(ByteString.copyFromUtf8(query.handle().value()));
    if (query.isQuery()) {
      result.setDatasetSchema(schemas.of(query.resultSchema()));
    }
    // An empty dataset schema is how the JDBC driver tells an update from a query.
    if (!query.parameterSchema().getFields().isEmpty()) {
      result.setParameterSchema(schemas.of(query.parameterSchema()));
    }
    return result.build();
  }

  Flight.FlightInfo info(
      FlightSql.CommandPreparedStatementQuery command,
      Flight.FlightDescriptor descriptor,
      Call call)
      throws EngineException {
    PreparedQuery query = find(command.getPreparedStatementHandle());
    return statements.started(queries.start(query, call.cancellation()), descriptor);
  }

  Schema schema(FlightSql.CommandPreparedStatementQuery command) {
    return find(command.getPreparedStatementHandle()).resultSchema();
  }

  /** Keeps values for the next run. */
  void bind(ByteString handle, Parameters parameters) {
    find(handle).bind(parameters);
  }

  /** Runs with the values given, and returns the rows changed. */
  long update(ByteString handle, Parameters parameters, Call call) throws EngineException {
    PreparedQuery query = find(handle);
    query.bind(parameters);
    return queries.update(query, call.cancellation());
  }

  /** Forgets a statement; to forget one twice is no error. */
  void close(FlightSql.ActionClosePreparedStatementRequest request) {
    prepared.end(request.getPreparedStatementHandle().toStringUtf8());
  }

  private PreparedQuery find(ByteString handle) {
    return prepared
        .touch(handle.toStringUtf8())
        .orElseThrow(
            () ->
                new QueryException(
                    Problem.UNKNOWN_HANDLE,
                    "this prepared statement was closed or not used for too long: prepare it"
                        + " again"));
  }
}
