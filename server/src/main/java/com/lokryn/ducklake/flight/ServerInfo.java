package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.engine.BuildInfo;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.arrow.flight.FlightProducer.ServerStreamListener;
import org.apache.arrow.flight.sql.FlightSqlProducer.Schemas;
import org.apache.arrow.flight.sql.SqlInfoBuilder;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlNullOrdering;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlOuterJoinsSupportLevel;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedCaseSensitivity;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedElementActions;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedGroupBy;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedPositionedCommands;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedResultSetType;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedSubqueries;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedTransaction;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlSupportedUnions;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlTransactionIsolationLevel;
import org.apache.arrow.flight.sql.impl.FlightSql.SupportedAnsi92SqlGrammarLevel;
import org.apache.arrow.flight.sql.impl.FlightSql.SupportedSqlGrammar;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.UInt4Vector;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.dictionary.DictionaryProvider.MapDictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.ipc.message.IpcOption;
import org.jspecify.annotations.Nullable;

/**
 * What the server says of itself (SqlInfo). Answers are built by Arrow's builder, once for each set
 * of questions, and kept as IPC bytes. Thread-safe.
 */
final class ServerInfo {
  private static final int MAX_KEPT = 64;

  private final SqlInfoBuilder builder = builder();
  private final Map<List<Integer>, byte[]> kept = new ConcurrentHashMap<>();

  /** The rows asked for, or all when nothing is; what we have no answer to is left out. */
  VectorSchemaRoot answer(List<Integer> wanted, BufferAllocator allocator) {
    byte[] bytes = kept.get(wanted);
    if (bytes == null) {
      bytes = wanted.isEmpty() ? build(wanted) : some(wanted, allocator);
      if (kept.size() < MAX_KEPT) {
        kept.put(List.copyOf(wanted), bytes);
      }
    }
    return read(bytes, allocator);
  }

  /** The builder fails on a number it does not have, so ask only for those that it has. */
  private byte[] some(List<Integer> wanted, BufferAllocator allocator) {
    var known = new HashSet<Integer>();
    try (VectorSchemaRoot all = answer(List.of(), allocator)) {
      var numbers = (UInt4Vector) all.getVector(0);
      for (int row = 0; row < all.getRowCount(); row++) {
        known.add(numbers.get(row));
      }
    }
    List<Integer> answerable = wanted.stream().filter(known::contains).toList();
    if (!answerable.isEmpty()) {
      return build(answerable);
    }
    var nothing = new Capture();
    try (var root = VectorSchemaRoot.create(Schemas.GET_SQL_INFO_SCHEMA, allocator)) {
      nothing.start(root, new MapDictionaryProvider(), IpcOption.DEFAULT);
      nothing.putNext();
    }
    return nothing.bytes.toByteArray();
  }

  private synchronized byte[] build(List<Integer> wanted) {
    var capture = new Capture();
    builder.send(wanted, capture);
    return capture.bytes.toByteArray();
  }

  private static VectorSchemaRoot read(byte[] bytes, BufferAllocator allocator) {
    try (var reader = new ArrowStreamReader(new ByteArrayInputStream(bytes), allocator)) {
      VectorSchemaRoot read = reader.getVectorSchemaRoot();
      reader.loadNextBatch();
      var root = VectorSchemaRoot.create(read.getSchema(), allocator);
      try (var batch = new VectorUnloader(read).getRecordBatch()) {
        new VectorLoader(root).load(batch);
      }
      return root;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Takes what the builder sends as IPC bytes. */
  private static final class Capture implements ServerStreamListener {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private @Nullable VectorSchemaRoot root;

    @Override
    public void start(VectorSchemaRoot started, DictionaryProvider dictionaries, IpcOption option) {
      root = started;
    }

    @Override
    public void putNext() {
      try (var writer = new ArrowStreamWriter(Objects.requireNonNull(root), null, bytes)) {
        writer.writeBatch();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void error(Throwable thrown) {
      throw new IllegalStateException("the answer could not be built", thrown);
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public void setOnCancelHandler(Runnable handler) {}

    @Override
    public void putNext(org.apache.arrow.memory.ArrowBuf metadata) {
      putNext();
    }

    @Override
    public void putMetadata(org.apache.arrow.memory.ArrowBuf metadata) {}

    @Override
    public void completed() {}
  }

  private static SqlInfoBuilder builder() {
    return new SqlInfoBuilder()
        .withFlightSqlServerName("ducklake-flight")
        .withFlightSqlServerVersion(BuildInfo.VERSION)
        .withFlightSqlServerArrowVersion(BuildInfo.ARROW_VERSION)
        .withFlightSqlServerReadOnly(false)
        .withFlightSqlServerSql(true)
        .withFlightSqlServerSubstrait(false)
        .withFlightSqlServerSubstraitMinVersion("")
        .withFlightSqlServerSubstraitMaxVersion("")
        .withFlightSqlServerTransaction(
            SqlSupportedTransaction.SQL_SUPPORTED_TRANSACTION_TRANSACTION)
        .withFlightSqlServerCancel(true)
        .withFlightSqlServerBulkIngestion(true)
        .withFlightSqlServerBulkIngestionTransaction(true)
        .withFlightSqlServerStatementTimeout(0)
        .withFlightSqlServerTransactionTimeout(0)
        .withSqlDdlCatalog(false)
        .withSqlDdlSchema(true)
        .withSqlDdlTable(true)
        .withSqlIdentifierCase(SqlSupportedCaseSensitivity.SQL_CASE_SENSITIVITY_CASE_INSENSITIVE)
        .withSqlIdentifierQuoteChar("\"")
        .withSqlQuotedIdentifierCase(
            SqlSupportedCaseSensitivity.SQL_CASE_SENSITIVITY_CASE_INSENSITIVE)
        .withSqlAllTablesAreSelectable(true)
        .withSqlNullOrdering(SqlNullOrdering.SQL_NULLS_SORTED_AT_END)
        .withSqlKeywords(Keywords.RESERVED)
        .withSqlNumericFunctions(Keywords.NUMERIC_FUNCTIONS)
        .withSqlStringFunctions(Keywords.STRING_FUNCTIONS)
        .withSqlSystemFunctions(Keywords.SYSTEM_FUNCTIONS)
        .withSqlDatetimeFunctions(Keywords.DATETIME_FUNCTIONS)
        .withSqlSearchStringEscape("\\")
        .withSqlExtraNameCharacters("")
        .withSqlSupportsColumnAliasing(true)
        .withSqlNullPlusNullIsNull(true)
        .withSqlSupportsConvert(Map.of())
        .withSqlSupportsTableCorrelationNames(true)
        .withSqlSupportsDifferentTableCorrelationNames(false)
        .withSqlSupportsExpressionsInOrderBy(true)
        .withSqlSupportsOrderByUnrelated(true)
        .withSqlSupportedGroupBy(
            SqlSupportedGroupBy.SQL_GROUP_BY_UNRELATED,
            SqlSupportedGroupBy.SQL_GROUP_BY_BEYOND_SELECT)
        .withSqlSupportsLikeEscapeClause(true)
        .withSqlSupportsNonNullableColumns(true)
        .withSqlSupportedGrammar(
            SupportedSqlGrammar.SQL_MINIMUM_GRAMMAR, SupportedSqlGrammar.SQL_CORE_GRAMMAR)
        .withSqlAnsi92SupportedLevel(
            SupportedAnsi92SqlGrammarLevel.ANSI92_ENTRY_SQL,
            SupportedAnsi92SqlGrammarLevel.ANSI92_INTERMEDIATE_SQL)
        .withSqlSupportsIntegrityEnhancementFacility(false)
        .withSqlOuterJoinSupportLevel(
            SqlOuterJoinsSupportLevel.SQL_FULL_OUTER_JOINS,
            SqlOuterJoinsSupportLevel.SQL_LIMITED_OUTER_JOINS)
        .withSqlSchemaTerm("schema")
        .withSqlProcedureTerm("")
        .withSqlCatalogTerm("catalog")
        .withSqlCatalogAtStart(true)
        .withSqlSchemasSupportedActions(everywhere())
        .withSqlCatalogsSupportedActions(everywhere())
        .withSqlSupportedPositionedCommands(new SqlSupportedPositionedCommands[0])
        .withSqlSelectForUpdateSupported(false)
        .withSqlStoredProceduresSupported(false)
        .withSqlSubQueriesSupported(
            SqlSupportedSubqueries.SQL_SUBQUERIES_IN_COMPARISONS,
            SqlSupportedSubqueries.SQL_SUBQUERIES_IN_EXISTS,
            SqlSupportedSubqueries.SQL_SUBQUERIES_IN_INS,
            SqlSupportedSubqueries.SQL_SUBQUERIES_IN_QUANTIFIEDS)
        .withSqlCorrelatedSubqueriesSupported(true)
        .withSqlSupportedUnions(SqlSupportedUnions.SQL_UNION, SqlSupportedUnions.SQL_UNION_ALL)
        .withSqlMaxBinaryLiteralLength(0)
        .withSqlMaxCharLiteralLength(0)
        .withSqlMaxColumnNameLength(0)
        .withSqlMaxColumnsInGroupBy(0)
        .withSqlMaxColumnsInIndex(0)
        .withSqlMaxColumnsInOrderBy(0)
        .withSqlMaxColumnsInSelect(0)
        .withSqlMaxColumnsInTable(0)
        .withSqlMaxConnections(0)
        .withSqlMaxCursorNameLength(0)
        .withSqlMaxIndexLength(0)
        .withSqlDbSchemaNameLength(0)
        .withSqlMaxProcedureNameLength(0)
        .withSqlMaxCatalogNameLength(0)
        .withSqlMaxRowSize(0)
        .withSqlMaxRowSizeIncludesBlobs(true)
        .withSqlMaxStatementLength(0)
        .withSqlMaxStatements(0)
        .withSqlMaxTableNameLength(0)
        .withSqlMaxTablesInSelect(0)
        .withSqlMaxUsernameLength(0)
        .withSqlDefaultTransactionIsolation(
            SqlTransactionIsolationLevel.SQL_TRANSACTION_REPEATABLE_READ_VALUE)
        .withSqlTransactionsSupported(true)
        .withSqlSupportedTransactionsIsolationLevels(
            SqlTransactionIsolationLevel.SQL_TRANSACTION_REPEATABLE_READ)
        .withSqlDataDefinitionCausesTransactionCommit(false)
        .withSqlDataDefinitionsInTransactionsIgnored(false)
        .withSqlSupportedResultSetTypes(SqlSupportedResultSetType.SQL_RESULT_SET_TYPE_FORWARD_ONLY)
        .withSqlBatchUpdatesSupported(true)
        .withSqlSavepointsSupported(false)
        .withSqlNamedParametersSupported(false)
        .withSqlLocatorsUpdateCopy(false)
        .withSqlStoredFunctionsUsingCallSyntaxSupported(false);
  }

  private static SqlSupportedElementActions[] everywhere() {
    return new SqlSupportedElementActions[] {
      SqlSupportedElementActions.SQL_ELEMENT_IN_PROCEDURE_CALLS,
      SqlSupportedElementActions.SQL_ELEMENT_IN_INDEX_DEFINITIONS,
      SqlSupportedElementActions.SQL_ELEMENT_IN_PRIVILEGE_DEFINITIONS
    };
  }
}
