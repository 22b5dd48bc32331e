package com.lokryn.ducklake.query;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineStatement;
import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.engine.TypeFacts;
import com.lokryn.ducklake.gate.Gate;
import com.lokryn.ducklake.gate.TableScan;
import com.lokryn.ducklake.query.Scope.Sight;
import com.lokryn.ducklake.query.Session.Place;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Which results can be divided into parts that are made apart from each other, and the statements
 * that make these. A result can if each of its rows comes of one row of one table: then a part is
 * the same query of some of the table's files, in one snapshot for all parts. Thread-safe.
 */
final class Partitions {
  /** Each of up to 64 tickets has the text, and all come in one message. */
  private static final int MAX_CHARS = 8 << 10;

  /** Their names are hashed for each part. */
  private static final int MAX_FILES = 50_000;

  /** Operators that make rows of a row each. */
  private static final Set<String> ROW_BY_ROW = Set.of("PROJECTION", "FILTER", "UNNEST");

  private static final Set<String> SOURCES = Set.of("DUCKLAKE_SCAN", "EMPTY_RESULT");

  /** Made when the first result is divided: most servers divide none. */
  private static final class Json {
    private static final ObjectMapper MAPPER = new ObjectMapper();
  }

  private final StatementGate gate;
  private final Executions executions;

  Partitions(StatementGate gate, Executions executions) {
    this.gate = gate;
    this.executions = executions;
  }

  /**
   * A statement that may be one to divide, by its text.
   *
   * @param scan what was read from it
   */
  private record Candidate(Portable query, Admitted admitted, TableScan scan) {}

  /** Reads a statement, without the lake. */
  private static Optional<Candidate> candidate(Session session, Admitted admitted)
      throws EngineException {
    Optional<Portable> query =
        Portable.of(session, admitted.text(), Parameters.NONE)
            .filter(portable -> portable.sql().length() <= MAX_CHARS);
    return query.isPresent()
        ? TableScan.of(query.get().sql(), query.get().namespace())
            .map(scan -> new Candidate(query.get(), admitted, scan))
        : Optional.empty();
  }

  /** Divides a result; empty where it has to be made as a whole. */
  Optional<Partitioned> divide(Session session, Admitted admitted, Cancellation cancellation)
      throws EngineException {
    Optional<Candidate> candidate = candidate(session, admitted);
    return candidate.isEmpty()
        ? Optional.empty()
        : executions.watched(
            cancellation,
            () ->
                executions.renewing(
                    session,
                    cancellation,
                    () ->
                        session.runAt(
                            candidate.get().query().namespace(),
                            place -> divide(session, candidate.get(), place, cancellation))));
  }

  private Optional<Partitioned> divide(
      Session session, Candidate candidate, Place place, Cancellation cancellation)
      throws EngineException {
    EngineConnection connection = place.connection();
    Optional<Partitioned> divided;
    try (var _ = cancellation.guard(connection)) {
      Scope scope =
          gate.enter(session, candidate.query().namespace(), candidate.admitted(), connection);
      try {
        divided = divide(candidate, session.partitions(), scope, connection);
        scope.commit();
      } catch (EngineException e) {
        scope.rollBack(e);
        if (!isOfStatement(e.error())) {
          throw e;
        }
        // Its client is told of it when it is run as a whole.
        connection.close();
        return Optional.empty();
      } catch (RuntimeException e) {
        scope.rollBack(e);
        throw e;
      }
    }
    place.release(!cancellation.isCancelled());
    return divided;
  }

  private static Optional<Partitioned> divide(
      Candidate candidate, int wanted, Scope scope, EngineConnection connection)
      throws EngineException {
    SqlText whole = candidate.admitted().text();
    if (!isOfTables(candidate.admitted(), scope.sight()) || !isRowByRow(whole, connection)) {
      return Optional.empty();
    }
    Portable query = candidate.query();
    TableScan scan = candidate.scan();
    long snapshot = scope.sight().orElseThrow().snapshot();
    TableFiles files = TableFiles.of(scan, snapshot, MAX_FILES + 1, connection);
    int parts = Math.min(wanted, files.size());
    if (parts < 2 || files.size() > MAX_FILES || hasNamesOfItsOwn(scan, connection)) {
      return Optional.empty();
    }
    Optional<SqlText> first = text(scan, files, new Part(query, snapshot, 0, parts, ""));
    if (first.isEmpty()) {
      return Optional.empty();
    }
    Schema schema = schema(whole, connection);
    // The numbers of a dictionary's values may be others in each part.
    if (!schema.equals(schema(first.get(), connection)) || TypeFacts.hasDictionary(schema)) {
      return Optional.empty();
    }
    String digest = files.digest();
    return Optional.of(
        new Partitioned(
            schema,
            IntStream.range(0, parts)
                .mapToObj(number -> new Part(query, snapshot, number, parts, digest))
                .toList()));
  }

  /** Lets the query of a part pass, in the transaction that the part is read in. */
  Scope enter(Call call, EngineConnection connection) throws EngineException {
    if (call.session().inTransaction()) {
      throw new QueryException(
          Problem.INVALID,
          "a part of a result is of its own snapshot, and not read in a transaction: end that of"
              + " this session first, or fetch it in another one");
    }
    return gate.enter(call.session(), call.namespace(), call.admitted(), connection);
  }

  /**
   * The statement that makes a part.
   *
   * @param scope in which its query was let pass
   */
  SqlText text(Part part, Call call, Scope scope, EngineConnection connection)
      throws EngineException {
    try {
      if (!isOfTables(call.admitted(), scope.sight())) {
        throw outdated();
      }
      TableScan scan =
          TableScan.of(part.query().sql(), part.query().namespace())
              .orElseThrow(Partitions::outdated);
      TableFiles files = TableFiles.of(scan, part.snapshot(), MAX_FILES + 1, connection);
      if (!files.digest().equals(part.digest())) {
        throw outdated();
      }
      return text(scan, files, part).orElseThrow(Partitions::outdated);
    } catch (EngineException e) {
      scope.rollBack(e);
      if (isOfStatement(e.error())) {
        // The snapshot is gone, or the table in it.
        throw outdated();
      }
      throw e;
    } catch (RuntimeException e) {
      scope.rollBack(e);
      throw e;
    }
  }

  private static QueryException outdated() {
    return new QueryException(
        Problem.OUTDATED,
        "the parts of this result cannot be made any more, since the files of its snapshot were"
            + " compacted or have expired, or a view or macro has come to stand before what it"
            + " names: run the query again, and fetch all parts of the new result");
  }

  /** False too in a transaction that is not the statement's own. */
  private static boolean isOfTables(Admitted admitted, Optional<Sight> sight) {
    return sight.isPresent() && Gate.isOfTables(admitted.statement(), sight.get().objects());
  }

  private static Optional<SqlText> text(TableScan scan, TableFiles files, Part part)
      throws EngineException {
    return scan.over(
            "SELECT * FROM %s AT (VERSION => %d) WHERE %s"
                .formatted(
                    scan.qualifiedTable(),
                    part.snapshot(),
                    files.condition(part.number(), part.of())))
        .map(SqlText::of);
  }

  /** A table that has a column of that name does not tell of which file a row is. */
  private static boolean hasNamesOfItsOwn(TableScan scan, EngineConnection connection)
      throws EngineException {
    try (EngineStatement statement =
        connection.prepare(SqlText.of("SELECT * FROM " + scan.qualifiedTable()))) {
      return statement.columns().stream()
          .anyMatch(column -> column.name().equalsIgnoreCase(TableFiles.NAME_COLUMN));
    }
  }

  /** By DuckDB's plan, which shows what the parse does not tell: aggregates, above all. */
  private static boolean isRowByRow(SqlText text, EngineConnection connection)
      throws EngineException {
    List<List<String>> rows = connection.rows("EXPLAIN (FORMAT JSON) " + text.sql());
    try {
      JsonNode plan = Json.MAPPER.readTree(rows.getFirst().get(1));
      return plan.size() == 1 && isRowByRow(plan.path(0));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("DuckDB's plan is no JSON", e);
    }
  }

  private static boolean isRowByRow(JsonNode operator) {
    JsonNode children = operator.path("children");
    String name = operator.path("name").asText().strip();
    return children.isEmpty()
        ? SOURCES.contains(name)
        : ROW_BY_ROW.contains(name) && children.size() == 1 && isRowByRow(children.path(0));
  }

  /** As the batches of a run have it. */
  private static Schema schema(SqlText text, EngineConnection connection) throws EngineException {
    try (EngineStatement statement = connection.prepare(text.withoutRows());
        BatchStream stream = statement.executeQuery()) {
      return stream.schema();
    }
  }

  /** True for what another statement, or the same of another snapshot, would not have failed of. */
  private static boolean isOfStatement(EngineError error) {
    return switch (error) {
      case SYNTAX,
          BINDER,
          MISSING,
          EXISTS,
          CATALOG,
          CONVERSION,
          OUT_OF_RANGE,
          MISMATCH,
          CONSTRAINT,
          PERMISSION,
          READ_ONLY,
          NOT_IMPLEMENTED,
          LOCKED,
          INVALID_INPUT,
          INVALID_TYPE,
          INVALID_CONFIGURATION,
          DEPENDENCY,
          PARAMETER,
          UNREPRESENTABLE,
          UNKNOWN ->
          true;
      case TABLE_STALE,
          CATALOG_STALE,
          CATALOG_BUSY,
          CONFLICT,
          COMMIT_LOST,
          COMMIT_OUT_OF_MEMORY,
          NO_TRANSACTION,
          TRANSACTION,
          WRITE_CONFLICT,
          INTERRUPTED,
          OUT_OF_MEMORY,
          HTTP,
          IO,
          CATALOG_LOST,
          PLAN_LOST,
          CONNECTION,
          CLOSED,
          INTERNAL,
          FATAL ->
          false;
    };
  }
}
