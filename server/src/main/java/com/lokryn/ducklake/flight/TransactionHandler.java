package com.lokryn.ducklake.flight;

import com.google.protobuf.ByteString;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.flight.Handles.Handle;
import com.lokryn.ducklake.flight.Handles.Kind;
import com.lokryn.ducklake.observe.Limit;
import com.lokryn.ducklake.observe.QueryId;
import com.lokryn.ducklake.query.Expiring;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.QueryException;
import com.lokryn.ducklake.query.QueryService;
import com.lokryn.ducklake.query.Session;
import com.lokryn.ducklake.query.Sessions;
import java.util.Optional;
import org.apache.arrow.flight.sql.impl.FlightSql;

/**
 * Transactions that a client names in its requests. Each is a session of its own, whose workspace
 * holds the transaction of the engine.
 */
final class TransactionHandler {
  /**
   * A transaction and the session it was begun in: a client that is gone cannot commit it, and must
   * not hold it open.
   */
  record Open(Session session, Session owner) implements AutoCloseable {
    @Override
    public void close() {
      try {
        session.close();
      } finally {
        owner.endTransaction();
      }
    }

    boolean isBusy() {
      return session.isBusy();
    }
  }

  /** Each holds a connection of the engine, and the snapshot that it began with. */
  static final int MAX_OF_USER = 100;

  private final QueryService queries;
  private final Sessions sessions;
  private final Expiring<Open> open;
  private final Handles handles;

  TransactionHandler(
      QueryService queries, Sessions sessions, Expiring<Open> open, Handles handles) {
    this.handles = handles;
    this.queries = queries;
    this.sessions = sessions;
    this.open = open;
  }

  FlightSql.ActionBeginTransactionResult begin(Call call) throws EngineException {
    String user = call.session().user();
    if (open.count(other -> other.owner.user().equals(user)) >= MAX_OF_USER) {
      throw new QueryException(
          Limit.TRANSACTIONS,
          "you have %d transactions open (transactions of a user): commit some or roll them back"
              .formatted(MAX_OF_USER));
    }
    String id = QueryId.random().value();
    Session transaction = sessions.detached(id, call.session());
    queries.update(transaction, "BEGIN", call.cancellation());
    call.session().holdTransaction();
    open.put(id, new Open(transaction, call.session()));
    if (call.cancellation().isCancelled()) {
      // A client that has gone meanwhile will not end it.
      open.end(id);
    }
    return FlightSql.ActionBeginTransactionResult.newBuilder()
        .setTransactionId(
            handles.write(Kind.TRANSACTION, id, call.session().user(), Optional.empty()))
        .build();
  }

  void end(FlightSql.ActionEndTransactionRequest request, Call call) throws EngineException {
    String statement =
        switch (request.getAction()) {
          case END_TRANSACTION_COMMIT -> "COMMIT";
          case END_TRANSACTION_ROLLBACK -> "ROLLBACK";
          case END_TRANSACTION_UNSPECIFIED, UNRECOGNIZED ->
              throw FlightErrors.invalid("a transaction ends with a commit or a rollback");
        };
    String id = id(request.getTransactionId(), call);
    try (Open transaction = open.take(id).orElseThrow(TransactionHandler::unknown)) {
      queries.update(transaction.session, statement, call.cancellation());
    }
  }

  /** The session in which the statements of a transaction run. */
  Session session(ByteString handle, Call call) {
    return open.touch(id(handle, call)).orElseThrow(TransactionHandler::unknown).session;
  }

  private String id(ByteString handle, Call call) {
    Handle transaction = handles.read(Kind.TRANSACTION, handle, call.session().user());
    if (!handles.isOwn(transaction)) {
      throw new QueryException(
          Problem.UNKNOWN_HANDLE,
          "this transaction is on another server, where its statements have to be sent: it is rolled"
              + " back there when that does not happen; begin it again");
    }
    return transaction.id();
  }

  private static QueryException unknown() {
    return new QueryException(
        Problem.UNKNOWN_HANDLE,
        "no such transaction: it has ended, or was rolled back because it was not used for too"
            + " long");
  }
}
