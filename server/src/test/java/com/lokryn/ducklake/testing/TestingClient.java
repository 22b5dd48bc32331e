package com.lokryn.ducklake.testing;

import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.arrow.flight.CallOption;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightGrpcUtils;
import org.apache.arrow.flight.FlightInfo;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.impl.FlightServiceGrpc;
import org.apache.arrow.flight.sql.FlightSqlClient;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryEncoder;

/** Arrow's own Flight SQL client with a few short cuts. */
public final class TestingClient implements AutoCloseable {
  private final BufferAllocator allocator = new RootAllocator();
  private final ManagedChannel channel;
  private final FlightClient flight;
  private final FlightSqlClient sql;

  public TestingClient(int port) {
    this(port, new Metadata());
  }

  /** Sends a user's name and password with each call. */
  public static TestingClient of(int port, String user, String password) {
    var headers = new Metadata();
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
        "Basic "
            + Base64.getEncoder()
                .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8)));
    return new TestingClient(port, headers);
  }

  private TestingClient(int port, Metadata headers) {
    channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port)
            .usePlaintext()
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .intercept(MetadataUtils.newAttachHeadersInterceptor(headers))
            .build();
    flight = FlightGrpcUtils.createFlightClient(allocator, channel);
    sql = new FlightSqlClient(flight);
  }

  /** For calls whose gRPC status matters: Arrow's client knows only some of them. */
  public FlightServiceGrpc.FlightServiceBlockingStub raw() {
    return FlightServiceGrpc.newBlockingStub(channel);
  }

  public FlightSqlClient sql() {
    return sql;
  }

  public FlightClient flight() {
    return flight;
  }

  public BufferAllocator allocator() {
    return allocator;
  }

  public FlightInfo info(String query, CallOption... options) {
    return sql.execute(query, options);
  }

  /** The stream of a query; the caller closes it. */
  public FlightStream open(String query, CallOption... options) {
    return stream(info(query, options), options);
  }

  public FlightStream stream(FlightInfo info, CallOption... options) {
    return sql.getStream(info.getEndpoints().getFirst().getTicket(), options);
  }

  public long update(String statement) {
    return sql.executeUpdate(statement);
  }

  /** All rows of a query, values as Arrow's vectors give them, text as strings. */
  public List<List<Object>> rows(String query) throws Exception {
    try (FlightStream stream = open(query)) {
      return rows(stream);
    }
  }

  public static List<List<Object>> rows(FlightStream stream) {
    var rows = new ArrayList<List<Object>>();
    while (stream.next()) {
      VectorSchemaRoot root = stream.getRoot();
      for (int row = 0; row < root.getRowCount(); row++) {
        var values = new ArrayList<>();
        for (FieldVector vector : root.getFieldVectors()) {
          values.add(value(stream, vector, row));
        }
        rows.add(values);
      }
    }
    return rows;
  }

  private static Object value(FlightStream stream, FieldVector vector, int row) {
    var encoding = vector.getField().getDictionary();
    if (encoding == null) {
      Object value = vector.getObject(row);
      return value instanceof org.apache.arrow.vector.util.Text text ? text.toString() : value;
    }
    try (var decoded =
        DictionaryEncoder.decode(vector, stream.getDictionaryProvider().lookup(encoding.getId()))) {
      return String.valueOf(decoded.getObject(row));
    }
  }

  /** The only value of a query. */
  public Object value(String query) throws Exception {
    return rows(query).getFirst().getFirst();
  }

  /** Breaks the connection off, as the end of the client's process would. */
  public void die() {
    channel.shutdownNow();
  }

  /** Does not look for what a client that died has left behind. */
  @Override
  public void close() throws Exception {
    if (!channel.isShutdown()) {
      sql.close();
      flight.close();
      allocator.close();
    }
  }
}
