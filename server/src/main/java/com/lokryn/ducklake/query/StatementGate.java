package com.lokryn.ducklake.query;

import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.engine.StatementCounter;
import com.lokryn.ducklake.gate.Gate;
import com.lokryn.ducklake.gate.Refusal;
import com.lokryn.ducklake.gate.Statement;
import com.lokryn.ducklake.gate.Statement.Kind;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a text has to be before the engine sees it: one statement, not too long, and allowed; and
 * the transaction in which what it uses of the catalog is looked at. Thread-safe.
 */
final class StatementGate {
  /** How often the catalog is asked before it is asked in the statement's own transaction. */
  private static final int MAX_LESSONS = 3;

  private final Gate gate;

  StatementGate(Gate gate) {
    this.gate = gate;
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

  /**
   * Begins the transaction that a statement is looked at and runs in, unless it is in one, or has
   * none. What it uses of the catalog is looked at then.
   */
  Scope enter(Session session, Namespace namespace, Admitted admitted, EngineConnection connection)
      throws EngineException {
    Statement statement = admitted.statement();
    if (session.inTransaction()) {
      check(session, namespace, statement, connection);
      return Scope.none();
    }
    boolean isOwnWrite = statement.kind() == Kind.WRITE;
    if (!statement.dependsOnCatalog() && !isOwnWrite) {
      check(session, namespace, statement, connection);
      return Scope.none();
    }
    Scope scope = begin(session, statement, connection);
    try {
      check(session, namespace, statement, connection);
      if (!statement.isTransactional()) {
        scope.commit();
        return Scope.none();
      }
      return scope;
    } catch (EngineException | RuntimeException e) {
      scope.rollBack(e);
      throw e;
    }
  }

  /** The same for the server's own look at all that there is. */
  Scope enterListing(Session session, EngineConnection connection) throws EngineException {
    Statement statement = Gate.listing();
    Scope scope = session.inTransaction() ? Scope.none() : begin(session, statement, connection);
    try {
      forbidding(
          () -> {
            gate.requireAllowed(
                statement,
                session.identity().withoutGrants(),
                session.namespace(),
                session.ownObjects(),
                connection);
            return Optional.empty();
          });
      return scope;
    } catch (EngineException | RuntimeException e) {
      scope.rollBack(e);
      throw e;
    }
  }

  /**
   * Begins a transaction whose snapshot is known. To ask the catalog within it would take a second
   * connection to the catalog while the first is held, which many at once would wait for in vain.
   */
  private Scope begin(Session session, Statement statement, EngineConnection connection)
      throws EngineException {
    // What a reader runs cannot write to the lake, whatever its text was taken for.
    boolean readOnly = session.identity().role() == Role.READER || statement.isReadOnly();
    for (int lesson = 0; ; lesson++) {
      Scope scope = Scope.begin(connection, readOnly);
      try {
        if (!statement.dependsOnCatalog() || lesson == MAX_LESSONS || gate.knows(connection)) {
          return scope;
        }
      } catch (EngineException | RuntimeException e) {
        scope.rollBack(e);
        throw e;
      }
      scope.commit();
      gate.learn(connection);
    }
  }

  private void check(
      Session session, Namespace namespace, Statement statement, EngineConnection connection)
      throws EngineException {
    checkOne(session, namespace, statement, connection);
    if (statement.kind() == Kind.EXECUTE) {
      for (Statement prepared : session.prepared(name(statement))) {
        checkOne(session, namespace, prepared, connection);
      }
    }
  }

  private void checkOne(
      Session session, Namespace namespace, Statement checked, EngineConnection connection)
      throws EngineException {
    forbidding(
        () -> {
          if (!checked.dependsOnCatalog()) {
            gate.requireAllowed(checked, session.identity(), namespace);
          } else {
            Map<String, List<Statement>> own = session.ownObjects();
            gate.requireAllowed(checked, session.identity(), namespace, own, connection);
          }
          return Optional.empty();
        });
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
