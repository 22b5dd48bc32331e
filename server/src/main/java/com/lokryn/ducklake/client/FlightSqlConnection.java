package com.lokryn.ducklake.client;

import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.apache.arrow.flight.CallOption;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightClient.ClientStreamListener;
import org.apache.arrow.flight.FlightDescriptor;
import org.apache.arrow.flight.FlightEndpoint;
import org.apache.arrow.flight.FlightGrpcUtils;
import org.apache.arrow.flight.FlightInfo;
import org.apache.arrow.flight.FlightRuntimeException;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.PutResult;
import org.apache.arrow.flight.SyncPutListener;
import org.apache.arrow.flight.sql.FlightSqlClient;
import org.apache.arrow.flight.sql.FlightSqlClient.PreparedStatement;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest;
import org.apache.arrow.flight.sql.impl.FlightSql.DoPutUpdateResult;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.ipc.ArrowReader;

/** A connection to a Flight SQL server: runs statements, uploads batches. Used by one thread. */
public final class FlightSqlConnection implements AutoCloseable {
  private static final long POLL_NANOS = 100_000;

  private final ServerUrl url;
  private final BufferAllocator allocator = new RootAllocator();
  private final FlightClient flight;
  private final FlightSqlClient sql;
  private final CallOption[] options;

  private FlightSqlConnection(ServerUrl url, ClientTls tls, Optional<Login> login)
      throws ServerException {
    this.url = url;
    flight = FlightGrpcUtils.createFlightClient(allocator, Channels.open(url, tls));
    sql = new FlightSqlClient(flight);
    try {
      options =
          login
              .flatMap(who -> flight.authenticateBasicToken(who.user(), who.password()))
              .map(token -> new CallOption[] {token})
              .orElseGet(() -> new CallOption[0]);
    } catch (FlightRuntimeException | StatusRuntimeException e) {
      close();
      throw ServerException.of(e, url);
    }
  }

  /** Who connects. */
  public record Login(String user, String password) {}

  /**
   * Connects; without a login as nobody in particular.
   *
   * @throws IllegalArgumentException with a sentence about a file of TLS that cannot be used
   */
  public static FlightSqlConnection open(ServerUrl url, ClientTls tls, Optional<Login> login)
      throws ServerException {
    return new FlightSqlConnection(url, tls, login);
  }

  /** The memory that batches are made in. */
  public BufferAllocator allocator() {
    return allocator;
  }

  /**
   * Runs one statement and hands its result on as it arrives.
   *
   * @return the number of rows changed, for a statement that has no result
   * @throws IOException if the sink takes no more; the server is told to stop
   */
  public OptionalLong run(String statement, ResultSink sink) throws ServerException, IOException {
    try {
      PreparedStatement prepared = sql.prepare(statement, options);
      try {
        if (prepared.getResultSetSchema().getFields().isEmpty()) {
          return OptionalLong.of(prepared.executeUpdate(options));
        }
        read(prepared.execute(options), sink);
        return OptionalLong.empty();
      } finally {
        forget(prepared);
      }
    } catch (FlightRuntimeException | StatusRuntimeException e) {
      throw ServerException.of(e, url);
    }
  }

  /** The statement did what it should or failed with its own error, whatever happens here. */
  private void forget(PreparedStatement prepared) {
    try {
      prepared.close(options);
    } catch (FlightRuntimeException | StatusRuntimeException _) {
      // The server forgets it with the session.
    }
  }

  private void read(FlightInfo info, ResultSink sink) throws IOException {
    boolean started = false;
    for (FlightEndpoint endpoint : info.getEndpoints()) {
      try (FlightStream stream = sql.getStream(endpoint.getTicket(), options)) {
        boolean more = stream.next();
        if (!started) {
          started = true;
          sink.start(stream.getRoot(), stream.getDictionaryProvider());
        }
        while (more) {
          sink.batch(stream.getRoot(), stream.getDictionaryProvider());
          more = stream.next();
        }
      } catch (IOException | RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException("closing a stream failed", e);
      }
    }
    if (started) {
      sink.end();
    }
  }

  /**
   * Uploads all batches of a reader.
   *
   * @param progress told of the rows of each batch once the transport has it
   * @return the rows that the server wrote
   * @throws IOException if the reader fails; the server keeps nothing
   */
  public long ingest(CommandStatementIngest command, ArrowReader reader, LongConsumer progress)
      throws ServerException, IOException {
    var descriptor = FlightDescriptor.command(com.google.protobuf.Any.pack(command).toByteArray());
    try (var batches = open(reader);
        var answers = new SyncPutListener()) {
      ClientStreamListener upload = flight.startPut(descriptor, batches.root(), answers, options);
      try {
        while (!answers.isCancelled() && load(batches)) {
          while (!upload.isReady() && !answers.isCancelled()) {
            LockSupport.parkNanos(POLL_NANOS);
          }
          upload.putNext();
          progress.accept(batches.root().getRowCount());
        }
      } catch (IOException | RuntimeException e) {
        upload.error(e);
        throw e;
      }
      upload.completed();
      try (PutResult answer = answers.read()) {
        upload.getResult();
        return answer == null
            ? 0
            : DoPutUpdateResult.parseFrom(answer.getApplicationMetadata().nioBuffer())
                .getRecordCount();
      }
    } catch (FlightRuntimeException | StatusRuntimeException e) {
      throw ServerException.of(e, url);
    } catch (java.util.concurrent.ExecutionException e) {
      if (e.getCause() instanceof FlightRuntimeException refused) {
        throw ServerException.of(refused, url);
      }
      throw new IOException("the upload failed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("the upload was interrupted", e);
    }
  }

  private PlainBatches open(ArrowReader reader) throws IOException {
    try {
      return new PlainBatches(reader, allocator);
    } catch (IOException | RuntimeException e) {
      throw unreadable(e);
    }
  }

  private static boolean load(PlainBatches batches) throws IOException {
    try {
      return batches.loadNext();
    } catch (IOException | RuntimeException e) {
      throw unreadable(e);
    }
  }

  /** Why a file cannot be read; DuckDB's text comes in a frame of Arrow's. */
  private static IOException unreadable(Exception e) {
    String text = String.valueOf(e.getMessage());
    int at = text.indexOf("message=");
    return at < 0
        ? IngestFile.damaged(e)
        : new IOException(text.substring(at + "message=".length(), text.length() - 1).strip(), e);
  }

  @Override
  public void close() {
    try {
      sql.close();
      flight.close();
    } catch (Exception e) {
      throw new IllegalStateException("closing the connection failed", e);
    }
  }
}
