package com.lokryn.ducklake.query;

import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.NewestSnapshot;
import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.engine.StatementCounter;
import com.lokryn.ducklake.gate.Gate;
import com.lokryn.ducklake.gate.Refusal;
import com.lokryn.ducklake.gate.Statement;
import com.lokryn.ducklake.gate.Statement.Kind;
import com.lokryn.ducklake.gate.StoredObjects;
import com.lokryn.ducklake.query.Scope.Sight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a text has to be before the engine sees it: one statement, not too long, and allowed; and
 * the transaction in which what it uses of the catalog is looked at. Thread-safe.
 */
final class StatementGate {
  /** How often the catalog is asked before it is asked in the statement's own transaction. */
  private static final int MAX_LESSONS = 3;

  private final Gate gate;
  private final Optional<NewestSnapshot> newest;
  private final ServerTables server;

  /**
   * @param newest asked by {@link #sight}
   * @param server tables that are filled for the statements that read them
   */
  StatementGate(Gate gate, Optional<NewestSnapshot> newest, ServerTables server) {
    this.gate = gate;
    this.server = server;
    this.newest = newest;
  }

  /** Lets a text pass, as far as it can be told from the text alone. */
  Admitted admit(Session session, Namespace namespace, String sql) throws EngineException {
    if (SqlText.isTooLong(sql)) {
      throw new QueryException(Problem.LIMIT, SqlText.TOO_LONG);
    }
    SqlText text = SqlText.of(sql);
    int statements = StatementCounter.count(text);
    if (statements == 0) {
      throw new QueryException(Problem.INVALID, "the statement is empty");
    }
    if (statements > 1) {
      throw new QueryException(
          Problem.INVALID,
          "%d statements were sent in one request, none of them was run: send them one by one"
              .formatted(statements));
    }
    return forbidding(
        () -> {
          Statement statement = gate.read(sql);
          gate.requireAllowed(statement, session.identity(), namespace);
          return new Admitted(text, statement);
        });
  }

  /**
   * Lets a text pass that is known, and gives the same whenever it is run; empty where {@link
   * #admit} has to look, or to refuse it. Event loops ask, for statements of all kinds.
   */
  Optional<Admitted> admitConstant(Session session, Namespace namespace, String sql) {
    return gate.remembered(sql)
        .filter(Gate::isConstant)
        .filter(statement -> isAllowed(session, namespace, statement))
        .map(statement -> new Admitted(SqlText.of(sql), statement));
  }

  private boolean isAllowed(Session session, Namespace namespace, Statement statement) {
    try {
      gate.requireAllowed(statement, session.identity(), namespace);
      return true;
    } catch (Refusal _) {
      return false;
    }
  }

  /** Lets an ingest pass. */
  static void admitIngest(
      Session session, String catalog, String schema, String table, boolean creates)
      throws EngineException {
    forbidding(
        () -> {
          Gate.requireIngest(session.identity(), catalog, schema, table, creates);
          return Optional.empty();
        });
  }

  /** As below, for a statement that is run. */
  Scope enter(Call call, EngineConnection connection) throws EngineException {
    return enter(call.session(), call.namespace(), call.admitted(), connection);
  }

  /**
   * Begins the transaction that a statement is looked at and runs in, unless it is in one, or has
   * none. What it uses of the catalog is looked at then, and what it reads of the server's own
   * tables is put there.
   */
  Scope enter(Session session, Namespace namespace, Admitted admitted, EngineConnection connection)
      throws EngineException {
    Statement statement = admitted.statement();
    boolean isOwnWrite = statement.kind() == Kind.WRITE;
    if (!statement.dependsOnCatalog() && (!isOwnWrite || session.inTransaction())) {
      forbidding(
          () -> {
            gate.requireAllowed(statement, session.identity(), namespace);
            return Optional.empty();
          });
      if (statement.kind() == Kind.PREPARE) {
        // Its plan stays, for transactions to come.
        var _ = objects(connection);
      } else if (session.inTransaction() && statement.mayChangeLake()) {
        holdSchema(connection);
      }
      server.fill(connection, statement.serverTables(), session.identity());
      return Scope.none();
    }
    return inScope(
        session,
        statement,
        connection,
        objects -> {
          var looked = new ArrayList<Statement>(List.of(statement));
          if (statement.kind() == Kind.EXECUTE) {
            looked.addAll(session.prepared(name(statement)));
          }
          for (Statement one : looked) {
            gate.requireAllowed(
                one, session.identity(), namespace, session.ownObjects(), objects, connection);
            server.fill(connection, one.serverTables(), session.identity());
          }
        });
  }

  /** False where {@link #sight} never tells. */
  boolean knowsNewest() {
    return newest.isPresent();
  }

  /**
   * What a read would see whose transaction began now, when that can be known without one, and lets
   * it pass by that. Empty where it has to be {@link #enter}ed: for what gives another result each
   * time, the time of its transaction for instance, as for what has a transaction already.
   */
  Optional<Sight> sight(Session session, Namespace namespace, Admitted admitted)
      throws EngineException {
    Statement statement = admitted.statement();
    if (newest.isEmpty()
        || !statement.dependsOnCatalog()
        || !Gate.mayBeStable(statement)
        || admitted.text().isRunByPlanning()
        || session.hasState()
        || Gate.needsTables(statement, session.identity())) {
      return Optional.empty();
    }
    OptionalLong snapshot = newest.get().ask();
    if (snapshot.isEmpty()) {
      return Optional.empty();
    }
    Optional<StoredObjects> objects = gate.known(snapshot.getAsLong());
    if (objects.isEmpty()) {
      return Optional.empty();
    }
    return forbidding(
        () -> {
          gate.requireAllowed(statement, session.identity(), namespace, objects.get());
          return objects
              .filter(known -> Gate.isStable(statement, known))
              .map(known -> new Sight(snapshot.getAsLong(), known));
        });
  }

  /** The same for the server's own look at all that there is. */
  Scope enterListing(Session session, EngineConnection connection) throws EngineException {
    return inScope(
        session, Gate.listing(), connection, objects -> requireLists(session, objects, connection));
  }

  /** Lets the server's own look at all that there is pass, in the connection's transaction. */
  void admitListing(Session session, EngineConnection connection) throws EngineException {
    forbidding(
        () -> {
          requireLists(session, objects(connection), connection);
          return Optional.empty();
        });
  }

  private void requireLists(Session session, StoredObjects objects, EngineConnection connection)
      throws EngineException {
    gate.requireAllowed(
        Gate.listing(),
        session.identity().withoutGrants(),
        session.namespace(),
        session.ownObjects(),
        objects,
        connection);
  }

  /**
   * Has the schema held that the connection's transaction sees, unless it is already: for a
   * transaction that nothing else is looked at for.
   */
  void holdSchema(EngineConnection connection) throws EngineException {
    if (!connection.isSchemaHeld()) {
      var _ = objects(connection);
    }
  }

  /**
   * What the connection's transaction sees, and goes on seeing: its schema is held from here on.
   */
  private StoredObjects objects(EngineConnection connection) throws EngineException {
    long snapshot = Gate.snapshot(connection);
    Optional<StoredObjects> known = held(snapshot, connection);
    return known.isPresent() ? known.get() : learn(snapshot, connection);
  }

  private Optional<StoredObjects> held(long snapshot, EngineConnection connection) {
    return gate.known(snapshot)
        .filter(
            known ->
                connection.isSchemaHeld()
                    || known.version().map(connection::holdSchema).orElse(true));
  }

  private StoredObjects learn(long snapshot, EngineConnection connection) throws EngineException {
    Optional<StoredObjects> known = gate.known(snapshot);
    StoredObjects objects = known.isPresent() ? known.get() : gate.learn(snapshot, connection);
    if (objects.version().isPresent() && !connection.isSchemaHeld()) {
      connection.readSchema(objects.version().get(), snapshot);
    }
    return objects;
  }

  /** A look at a statement, with what the catalog has stored. */
  private interface Look {
    void at(StoredObjects objects) throws EngineException;
  }

  private Scope inScope(
      Session session, Statement statement, EngineConnection connection, Look look)
      throws EngineException {
    Scope scope = Scope.none();
    try {
      StoredObjects objects;
      if (session.inTransaction()) {
        objects = objects(connection);
      } else {
        // What a reader runs cannot write to the lake, whatever its text was taken for.
        boolean readOnly = session.identity().role() == Role.READER || statement.isReadOnly();
        scope = Scope.begin(connection, readOnly);
        long snapshot = Gate.snapshot(connection);
        Optional<StoredObjects> known = held(snapshot, connection);
        // To ask in the transaction would hold one connection to the catalog while it takes
        // another, for which many at once would wait in vain.
        for (int lesson = 0; known.isEmpty() && lesson < MAX_LESSONS; lesson++) {
          scope.commit();
          var _ = learn(Gate.snapshot(connection), connection);
          scope = Scope.begin(connection, readOnly);
          snapshot = Gate.snapshot(connection);
          known = held(snapshot, connection);
        }
        objects = known.isPresent() ? known.get() : learn(snapshot, connection);
        scope.sees(new Sight(snapshot, objects));
      }
      forbidding(
          () -> {
            look.at(objects);
            return Optional.empty();
          });
      if (!statement.isTransactional()) {
        scope.commit();
      }
      return scope.isOpen() ? scope : Scope.none();
    } catch (EngineException | RuntimeException e) {
      scope.rollBack(e);
      throw e;
    }
  }

  private static String name(Statement statement) {
    return statement.name().orElseThrow();
  }

  private interface Check<T> {
    T run() throws EngineException;
  }

  private static <T> T forbidding(Check<T> check) throws EngineException {
    try {
      return check.run();
    } catch (Refusal e) {
      throw new QueryException(Problem.FORBIDDEN, e.text());
    }
  }
}
