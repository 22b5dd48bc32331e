package com.example;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.apache.arrow.flight.CallOption;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightEndpoint;
import org.apache.arrow.flight.FlightInfo;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.Location;
import org.apache.arrow.flight.sql.FlightSqlClient;
import org.apache.arrow.flight.sql.FlightSqlClient.ExecuteIngestOptions;
import org.apache.arrow.flight.sql.FlightSqlClient.PreparedStatement;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableExistsOption;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableNotExistOption;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.VectorSchemaRoot;

/** The same in Arrow's batches, without a row being made of any: a bulk load, and a query with a value. */
public final class FlightSqlExample {
  private static final int ROWS = 100_000;

  private FlightSqlExample() {}

  public static void main(String[] arguments) throws Exception {
    Server server = Server.fromEnvironment();
    try (BufferAllocator allocator = new RootAllocator()) {
      FlightClient flight = connect(server, allocator);
      try (var client = new FlightSqlClient(flight)) {
        // The answer to a login is a token, for the calls that follow.
        CallOption[] options =
            server
                .login()
                .flatMap(login -> flight.authenticateBasicToken(login.user(), login.password()))
                .map(token -> new CallOption[] {token})
                .orElseGet(() -> new CallOption[0]);
        load(client, allocator, options);
        query(client, allocator, options);
      }
    }
  }

  private static FlightClient connect(Server server, BufferAllocator allocator) throws IOException {
    Location location =
        server.tls()
            ? Location.forGrpcTls(server.host(), server.port())
            : Location.forGrpcInsecure(server.host(), server.port());
    FlightClient.Builder builder = FlightClient.builder(allocator, location);
    if (!server.tls() || server.authority().isEmpty()) {
      return builder.build();
    }
    // It is read when the client is built.
    try (InputStream authority = new FileInputStream(server.authority().get())) {
      return builder.trustedCertificates(authority).build();
    }
  }

  private static void load(FlightSqlClient client, BufferAllocator allocator, CallOption[] options) {
    try (var id = new BigIntVector("id", allocator);
        var km = new Float8Vector("km", allocator)) {
      id.allocateNew(ROWS);
      km.allocateNew(ROWS);
      for (int i = 0; i < ROWS; i++) {
        id.set(i, i);
        km.set(i, i % 50 / 2.0);
      }
      try (var rows = new VectorSchemaRoot(List.of(id, km))) {
        rows.setRowCount(ROWS);
        var replace =
            TableDefinitionOptions.newBuilder()
                .setIfNotExist(TableNotExistOption.TABLE_NOT_EXIST_OPTION_CREATE)
                .setIfExists(TableExistsOption.TABLE_EXISTS_OPTION_REPLACE)
                .build();
        var table = new ExecuteIngestOptions("laps", replace, null, null, null);
        System.out.println(client.executeIngest(rows, table, options) + " rows loaded");
      }
    }
  }

  private static void query(FlightSqlClient client, BufferAllocator allocator, CallOption[] options)
      throws Exception {
    String sql = "SELECT id, km FROM laps WHERE km >= ?";
    PreparedStatement prepared = client.prepare(sql, options);
    try (var value = new Float8Vector("km", allocator)) {
      value.setSafe(0, 20.0);
      value.setValueCount(1);
      try (var values = new VectorSchemaRoot(List.of(value))) {
        values.setRowCount(1);
        prepared.setParameters(values);
        FlightInfo info = prepared.execute(options);
        long rows = 0;
        double sum = 0;
        for (FlightEndpoint endpoint : info.getEndpoints()) {
          try (FlightStream stream = client.getStream(endpoint.getTicket(), options)) {
            while (stream.next()) {
              var km = (Float8Vector) stream.getRoot().getVector("km");
              rows += km.getValueCount();
              for (int i = 0; i < km.getValueCount(); i++) {
                sum += km.get(i);
              }
            }
          }
        }
        System.out.printf("%d rows, %.0f km%n", rows, sum);
      }
    } finally {
      // Closing it is a call too, and needs the token: try-with-resources would send none.
      prepared.close(options);
    }
  }
}
