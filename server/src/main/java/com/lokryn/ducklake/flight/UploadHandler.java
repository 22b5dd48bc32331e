package com.lokryn.ducklake.flight;

import com.google.protobuf.ByteString;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.query.IngestService;
import com.lokryn.ducklake.query.IngestService.Mode;
import com.lokryn.ducklake.query.IngestService.Target;
import com.lokryn.ducklake.query.Session;
import java.util.Optional;
import org.apache.arrow.flight.FlightProducer.StreamListener;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.PutResult;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;

/**
 * What clients upload: values for prepared statements, statements that change something, tables.
 */
final class UploadHandler {
  private final StatementHandler statements;
  private final PreparedHandler prepared;
  private final TransactionHandler transactions;
  private final IngestService ingests;
  private final BufferAllocator allocator;

  UploadHandler(
      StatementHandler statements,
      PreparedHandler prepared,
      TransactionHandler transactions,
      IngestService ingests,
      BufferAllocator allocator) {
    this.statements = statements;
    this.prepared = prepared;
    this.transactions = transactions;
    this.ingests = ingests;
    this.allocator = allocator;
  }

  /** Handles one upload to its end; blocks while the client sends. */
  void handle(FlightStream upload, StreamListener<PutResult> answers, Call call)
      throws EngineException {
    if (!upload.getDescriptor().isCommand()) {
      throw FlightErrors.invalid("an upload needs a Flight SQL command");
    }
    var command = CommandDecoder.read(ByteString.copyFrom(upload.getDescriptor().getCommand()));
    if (!(command instanceof FlightCommand.Upload writable)) {
      throw FlightErrors.invalid("this command takes no upload");
    }
    switch (writable) {
      case FlightCommand.Update(var message) -> answer(answers, statements.update(message, call));
      case FlightCommand.PreparedUpdate(var message) ->
          answer(
              answers,
              prepared.update(
                  message.getPreparedStatementHandle(), ParameterReader.read(upload), call));
      case FlightCommand.Prepared(var message) ->
          prepared.bind(message.getPreparedStatementHandle(), ParameterReader.read(upload));
      case FlightCommand.Ingest(var message) -> answer(answers, ingest(message, upload, call));
      case FlightCommand.Refused(var name) ->
          throw FlightErrors.unsupported(name + " are not supported");
    }
  }

  private long ingest(FlightSql.CommandStatementIngest message, FlightStream upload, Call call)
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
            ? transactions.session(message.getTransactionId())
            : call.session();
    return ingests.ingest(
        session,
        target,
        mode(message.getTableDefinitionOptions()),
        new UploadSource(upload, allocator),
        call.cancellation());
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

  private void answer(StreamListener<PutResult> answers, long rows) {
    byte[] bytes =
        FlightSql.DoPutUpdateResult.newBuilder().setRecordCount(rows).build().toByteArray();
    ArrowBuf buffer = allocator.buffer(bytes.length);
    buffer.writeBytes(bytes);
    try (PutResult result = PutResult.metadata(buffer)) {
      // The result took the buffer over, and is copied when it is handed on.
      answers.onNext(result);
    }
  }
}
