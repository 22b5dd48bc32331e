package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.ipc.IpcException;
import com.lokryn.ducklake.observe.Counts;
import com.lokryn.ducklake.observe.Limit;
import com.lokryn.ducklake.observe.QueryId;
import com.lokryn.ducklake.observe.Redaction;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.QueryException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one place where failures become gRPC statuses. DuckDB's own text goes to the client, without
 * the machine's paths; a failure that is ours goes to the log under an id, and the client gets the
 * id.
 */
final class FlightErrors {
  private static final int MAX_TEXT_BYTES = 6_000;
  private static final Logger LOG = LoggerFactory.getLogger(FlightErrors.class);

  private final Redaction redaction;
  private final Counts<Limit> refusals;

  /**
   * @param refusals where it is counted what met a limit
   */
  FlightErrors(Redaction redaction, Counts<Limit> refusals) {
    this.redaction = redaction;
    this.refusals = refusals;
  }

  /** The answer to a client; to be asked for once for each. */
  StatusRuntimeException status(Throwable thrown) {
    limit(thrown).ifPresent(refusals::add);
    return switch (thrown) {
      case EngineException e when e.error() == EngineError.INTERRUPTED ->
          // A client's own cancellation comes as a QueryException.
          of(
              Status.Code.UNAVAILABLE,
              "the engine was stopped while this statement ran; run it again in a moment");
      case EngineException e when e.error() == EngineError.COMMIT_LOST ->
          of(
              Status.Code.UNAVAILABLE,
              "the connection to the lake's catalog was lost in a commit, which may have been done"
                  + " or not: look before running it again. "
                  + e.text());
      case EngineException e when e.error() == EngineError.READ_ONLY ->
          of(
              Status.Code.PERMISSION_DENIED,
              "the role reader changes temporary tables only: the role writer is needed to change the"
                  + " lake. "
                  + e.text());
      case EngineException e when e.error() == EngineError.CATALOG_BUSY ->
          of(
              Status.Code.RESOURCE_EXHAUSTED,
              "all connections to the lake's catalog are in use, each result that is being read"
                  + " has one: read results to their end, and run it again in a moment. "
                  + e.text());
      case EngineException e when e.error().isShortage() ->
          of(
              Status.Code.RESOURCE_EXHAUSTED,
              (isOfSpill(e)
                      ? "the engine may not spill more to disk (max_temp_directory_size)"
                      : "the engine has no memory left for this statement (memory_limit)")
                  + ": let it hold less at once, or run it when fewer others run. "
                  + e.text());
      case EngineException e -> of(code(e), e.text());
      case QueryException e -> of(code(e.problem()), e.text());
      case IpcException e -> of(code(e.fault()), e.text());
      case StatusRuntimeException e -> e;
      case com.google.protobuf.InvalidProtocolBufferException e ->
          of(
              Status.Code.INVALID_ARGUMENT,
              "the request is not a Flight SQL message: " + e.getMessage());
      default -> ours(thrown);
    };
  }

  private static Optional<Limit> limit(Throwable thrown) {
    return switch (thrown) {
      case QueryException e -> e.limit();
      case EngineException e when e.error().isShortage() ->
          Optional.of(isOfSpill(e) ? Limit.SPILL : Limit.ENGINE_MEMORY);
      case EngineException e when e.error() == EngineError.CATALOG_BUSY ->
          Optional.of(Limit.CATALOG_CONNECTIONS);
      case IpcException e when e.fault() == IpcException.Fault.TOO_LARGE ->
          Optional.of(Limit.REQUEST_SIZE);
      default -> Optional.empty();
    };
  }

  private static boolean isOfSpill(EngineException failure) {
    return failure.text().contains("max_temp_directory_size");
  }

  static StatusRuntimeException invalid(String text) {
    return Status.INVALID_ARGUMENT.withDescription(text).asRuntimeException();
  }

  static StatusRuntimeException unsupported(String text) {
    return Status.UNIMPLEMENTED.withDescription(text).asRuntimeException();
  }

  private StatusRuntimeException of(Status.Code code, String text) {
    return code.toStatus().withDescription(cut(redaction.apply(text))).asRuntimeException();
  }

  /**
   * Leaves out the end of a text that is too long: it travels in a header, where clients take 8 KiB
   * and what is not ASCII has nine bytes for three; more of it would break the connection off.
   */
  static String cut(String text) {
    int bytes = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      bytes += c >= ' ' && c < 0x7f && c != '%' ? 1 : c < 0x80 ? 3 : 9;
      if (bytes > MAX_TEXT_BYTES) {
        return text.substring(0, Character.isLowSurrogate(c) ? i - 1 : i) + " …";
      }
    }
    return text;
  }

  private StatusRuntimeException ours(Throwable thrown) {
    QueryId id = QueryId.random();
    LOG.atError()
        .addKeyValue("error_id", id.value())
        .addKeyValue("error", Redaction.withoutValues(thrown.toString()))
        .setCause(thrown)
        .log("internal error");
    return Status.INTERNAL
        .withDescription("internal error %s: the server's log has the details".formatted(id))
        .asRuntimeException();
  }

  private static Status.Code code(EngineException e) {
    return e.isInstanceLost() ? Status.Code.INTERNAL : code(e.error());
  }

  private static Status.Code code(EngineError error) {
    return switch (error) {
      case SYNTAX,
          BINDER,
          CATALOG,
          CONVERSION,
          OUT_OF_RANGE,
          MISMATCH,
          CONSTRAINT,
          NO_TRANSACTION,
          TRANSACTION,
          INVALID_INPUT,
          INVALID_TYPE,
          INVALID_CONFIGURATION,
          DEPENDENCY,
          PARAMETER,
          UNREPRESENTABLE,
          UNKNOWN ->
          Status.Code.INVALID_ARGUMENT;
      case MISSING -> Status.Code.NOT_FOUND;
      case EXISTS -> Status.Code.ALREADY_EXISTS;
      case PERMISSION, LOCKED, READ_ONLY -> Status.Code.PERMISSION_DENIED;
      case CONFLICT, WRITE_CONFLICT -> Status.Code.ABORTED;
      case OUT_OF_MEMORY, COMMIT_OUT_OF_MEMORY, CATALOG_BUSY -> Status.Code.RESOURCE_EXHAUSTED;
      case INTERRUPTED,
          CLOSED,
          TABLE_STALE,
          CATALOG_STALE,
          HTTP,
          IO,
          CONNECTION,
          CATALOG_LOST,
          PLAN_LOST,
          COMMIT_LOST ->
          Status.Code.UNAVAILABLE;
      case NOT_IMPLEMENTED -> Status.Code.UNIMPLEMENTED;
      case INTERNAL, FATAL -> Status.Code.INTERNAL;
    };
  }

  private static Status.Code code(IpcException.Fault fault) {
    return switch (fault) {
      case MALFORMED -> Status.Code.INVALID_ARGUMENT;
      case UNSUPPORTED -> Status.Code.UNIMPLEMENTED;
      case TOO_LARGE -> Status.Code.RESOURCE_EXHAUSTED;
    };
  }

  private static Status.Code code(Problem problem) {
    return switch (problem) {
      case INVALID -> Status.Code.INVALID_ARGUMENT;
      case UNKNOWN_HANDLE -> Status.Code.NOT_FOUND;
      case OUTDATED -> Status.Code.ABORTED;
      case UNSUPPORTED -> Status.Code.UNIMPLEMENTED;
      case FORBIDDEN -> Status.Code.PERMISSION_DENIED;
      case CANCELLED, KILLED -> Status.Code.CANCELLED;
      case TIME_LIMIT, STALLED -> Status.Code.DEADLINE_EXCEEDED;
      case LIMIT -> Status.Code.RESOURCE_EXHAUSTED;
      case UNAVAILABLE -> Status.Code.UNAVAILABLE;
    };
  }
}
