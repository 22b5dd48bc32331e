package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.ipc.IncomingBatches;
import com.lokryn.ducklake.query.Admission;
import com.lokryn.ducklake.query.IngestService;
import com.lokryn.ducklake.query.IngestService.Mode;
import com.lokryn.ducklake.query.IngestService.Target;
import com.lokryn.ducklake.query.Lanes;
import com.lokryn.ducklake.query.Parameters;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.QueryException;
import com.lokryn.ducklake.query.Session;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.apache.arrow.flight.impl.Flight.FlightDescriptor;
import org.apache.arrow.flight.impl.Flight.FlightDescriptor.DescriptorType;
import org.apache.arrow.flight.impl.Flight.PutResult;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions;
import org.apache.arrow.memory.BufferAllocator;

/**
 * What clients upload: values for prepared statements, statements that change something, tables.
 */
final class UploadHandler {
  /** The option of an ingest with its idempotency key. */
  private static final String IDEMPOTENCY_KEY = "idempotency_key";

  private final StatementHandler statements;
  private final PreparedHandler prepared;
  private final TransactionHandler transactions;
  private final IngestService ingests;
  private final Lanes lanes;
  private final BufferAllocator allocator;

  UploadHandler(
      StatementHandler statements,
      PreparedHandler prepared,
      TransactionHandler transactions,
      IngestService ingests,
      Lanes lanes,
      BufferAllocator allocator) {
    this.statements = statements;
    this.prepared = prepared;
    this.transactions = transactions;
    this.ingests = ingests;
    this.lanes = lanes;
    this.allocator = allocator;
  }

  /**
   * Handles one upload to its end; blocks while the client sends. The caller's thread is none of
   * the engine's: those are taken when there is something for the engine to do.
   */
  void handle(
      FlightDescriptor descriptor,
      UploadStream upload,
      StreamObserver<PutResult> answers,
      Call call)
      throws EngineException {
    if (descriptor.getType() != DescriptorType.CMD) {
      throw FlightErrors.invalid("an upload begins with a Flight SQL command");
    }
    if (!(CommandDecoder.read(descriptor.getCmd()) instanceof FlightCommand.Upload writable)) {
      throw FlightErrors.invalid("this command takes no upload");
    }
    switch (writable) {
      case FlightCommand.Update(var message) ->
          answer(answers, on(lanes.statements(), call, () -> statements.update(message, call)));
      case FlightCommand.PreparedUpdate(var message) -> {
        Parameters values = parameters(upload);
        answer(
            answers,
            on(
                lanes.statements(),
                call,
                () -> prepared.update(message.getPreparedStatementHandle(), values, call)));
      }
      case FlightCommand.Prepared(var message) -> {
        Parameters values = parameters(upload);
        // One that another server has planned is planned here.
        var _ =
            on(
                lanes.statements(),
                call,
                () -> {
                  prepared.bind(message.getPreparedStatementHandle(), values, call);
                  return 0;
                });
      }
      case FlightCommand.Ingest(var message) -> answer(answers, ingest(message, upload, call));
      case FlightCommand.Refused(var name) ->
          throw FlightErrors.unsupported(name + " are not supported");
    }
  }

  private Parameters parameters(UploadStream upload) {
    Optional<IncomingBatches> batches = IncomingBatches.open(upload::next, allocator);
    if (batches.isEmpty()) {
      return Parameters.NONE;
    }
    try (IncomingBatches open = batches.get()) {
      return ParameterReader.read(open);
    }
  }

  private long ingest(FlightSql.CommandStatementIngest message, UploadStream upload, Call call)
      throws EngineException {
    if (message.getTable().isEmpty()) {
      throw FlightErrors.invalid("an ingest needs the name of a table");
    }
    var target =
        new Target(
            message.hasCatalog() ? Optional.of(message.getCatalog()) : Optional.empty(),
            message.hasSchema() ? Optional.of(message.getSchema()) : Optional.empty(),
            message.getTable(),
            message.getTemporary());
    Session session =
        message.hasTransactionId()
            ? transactions.session(message.getTransactionId(), call)
            : call.session();
    Mode mode = mode(message.getTableDefinitionOptions());
    IncomingBatches batches =
        IncomingBatches.open(upload::next, allocator)
            .orElseThrow(() -> FlightErrors.invalid("an ingest begins with a schema"));
    var source = new UploadSource(batches, allocator);
    try {
      upload.awaitMore();
      return on(
          lanes.uploads(),
          call,
          () ->
              ingests.ingest(
                  session,
                  target,
                  mode,
                  idempotencyKey(message, call),
                  source,
                  call.cancellation()));
    } finally {
      // The ingest does so too, if it has begun.
      source.close(true);
    }
  }

  private interface Work {
    long run() throws EngineException;
  }

  private static long on(Admission lane, Call call, Work work) throws EngineException {
    var future =
        new FutureTask<Long>(
            () -> {
              call.cancellation().check();
              return work.run();
            });
    lane.run(call.session(), call.cancellation(), future);
    try {
      return future.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case EngineException failure -> throw failure;
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        case null, default -> throw new IllegalStateException(e.getCause());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QueryException(Problem.UNAVAILABLE, "the server is stopping");
    }
  }

  /** From the command, or, for drivers that cannot set its options, from a header of the call. */
  private static Optional<String> idempotencyKey(
      FlightSql.CommandStatementIngest message, Call call) {
    return Optional.ofNullable(message.getOptionsMap().get(IDEMPOTENCY_KEY))
        .or(call::idempotencyKey);
  }

  private static Mode mode(TableDefinitionOptions options) {
    return switch (options.getIfNotExist()) {
      case TABLE_NOT_EXIST_OPTION_CREATE ->
          switch (options.getIfExists()) {
            case TABLE_EXISTS_OPTION_FAIL -> Mode.CREATE;
            case TABLE_EXISTS_OPTION_APPEND -> Mode.CREATE_APPEND;
            case TABLE_EXISTS_OPTION_REPLACE -> Mode.REPLACE;
            case TABLE_EXISTS_OPTION_UNSPECIFIED, UNRECOGNIZED -> throw incomplete();
          };
      case TABLE_NOT_EXIST_OPTION_FAIL ->
          switch (options.getIfExists()) {
            case TABLE_EXISTS_OPTION_APPEND -> Mode.APPEND;
            case TABLE_EXISTS_OPTION_FAIL ->
                throw FlightErrors.invalid(
                    "an ingest that fails both with and without a table can never work");
            case TABLE_EXISTS_OPTION_REPLACE ->
                throw FlightErrors.unsupported(
                    "replacing only a table that exists: allow to create it as well");
            case TABLE_EXISTS_OPTION_UNSPECIFIED, UNRECOGNIZED -> throw incomplete();
          };
      case TABLE_NOT_EXIST_OPTION_UNSPECIFIED, UNRECOGNIZED -> throw incomplete();
    };
  }

  private static RuntimeException incomplete() {
    return FlightErrors.invalid(
        "an ingest has to say what to do when the table exists and when it does not");
  }

  private static void answer(StreamObserver<PutResult> answers, long rows) {
    answers.onNext(
        PutResult.newBuilder()
            .setAppMetadata(
                FlightSql.DoPutUpdateResult.newBuilder()
                    .setRecordCount(rows)
                    .build()
                    .toByteString())
            .build());
  }
}
