package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Map;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.Ticket;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The table of statuses, and that a client gets DuckDB's own text and nothing of the machine. */
class ErrorsIT {
  private static TestingLakeServer server;
  private static TestingClient client;

  @BeforeAll
  static void start() throws Exception {
    server =
        TestingLakeServer.start(Map.of("memory_limit", "100MB", "max_temp_directory_size", "1MB"));
    client = server.connect();
    client.update("CREATE TABLE there (i INT)");
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
    server.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "selec 1|INVALID_ARGUMENT|LINE 1: selec 1",
        "SELECT nope|INVALID_ARGUMENT|Binder Error",
        "SELECT 'x'::INT|INVALID_ARGUMENT|Could not convert string 'x'",
        "SELECT 10000::UTINYINT|INVALID_ARGUMENT|out of range",
        "SELECT error('mine')|INVALID_ARGUMENT|mine",
        "INSERT INTO there VALUES (1, 2)|INVALID_ARGUMENT|Binder Error",
        "SELECT 1; SELECT 2|INVALID_ARGUMENT|none of them was run",
        "COMMIT|INVALID_ARGUMENT|no transaction is active",
        "SET threads = 1|PERMISSION_DENIED|the setting threads is the server's",
        "SELECT * FROM missing|NOT_FOUND|Table with name missing does not exist",
        "SELECT no_function(1)|NOT_FOUND|no_function",
        "DROP TABLE missing|NOT_FOUND|missing",
        "USE nowhere|NOT_FOUND|nowhere",
        "CREATE TABLE there (i INT)|ALREADY_EXISTS|already exists",
        "CREATE SCHEMA main|ALREADY_EXISTS|already exists",
        "SELECT * FROM read_csv('/etc/passwd')|PERMISSION_DENIED|below the exports of the lake only",
        "COPY (SELECT 1) TO '/tmp/out.csv'|PERMISSION_DENIED|below the exports of the lake only",
        "ATTACH '/tmp/other.db'|PERMISSION_DENIED|ATTACH is not for statements of clients",
        "LOAD httpfs|PERMISSION_DENIED|LOAD is not for statements of clients",
        "CREATE TABLE keyed (i INT PRIMARY KEY)|UNIMPLEMENTED|PRIMARY KEY",
        "SELECT list(i) FROM range(100000000) t(i)|RESOURCE_EXHAUSTED|Out of Memory",
      })
  void haveTheirStatusAndTheEnginesText(String sql, Status.Code code, String text) {
    assertFails(
            code,
            () -> {
              try (FlightStream stream = client.open(sql)) {
                while (stream.next()) {
                  assertThat(stream.getRoot().getRowCount()).isNotNegative();
                }
              }
            })
        .contains(text)
        .doesNotContain("\tat ")
        .doesNotContain(server.directory().toString());
  }

  /** In a header: what does not fit there would break the connection off. */
  @ParameterizedTest
  @ValueSource(strings = {"x", "%", "é"})
  void aLongErrorIsCut(String letter) throws Exception {
    StatusRuntimeException failure =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () ->
                client
                    .raw()
                    .getFlightInfo(
                        Flight.FlightDescriptor.newBuilder()
                            .setType(Flight.FlightDescriptor.DescriptorType.CMD)
                            .setCmd(
                                Any.pack(
                                        FlightSql.CommandStatementQuery.newBuilder()
                                            .setQuery(
                                                "SELECT error('%s')"
                                                    .formatted(letter.repeat(50_000)))
                                            .build())
                                    .toByteString())
                            .build()));
    assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(failure.getStatus().getDescription())
        .startsWith("Invalid Input Error: " + letter)
        .endsWith(letter + " …");
  }

  @Test
  void handlesThatAreNotThere() {
    assertFails(
        Status.Code.INVALID_ARGUMENT,
        () -> client.flight().getStream(new Ticket(new byte[] {1, 2, 3})).next());
    var descriptor =
        Flight.FlightDescriptor.newBuilder()
            .setType(Flight.FlightDescriptor.DescriptorType.CMD)
            .setCmd(ByteString.copyFromUtf8("SELECT 1"))
            .build();
    assertFails(Status.Code.INVALID_ARGUMENT, () -> client.raw().getFlightInfo(descriptor));
    var path =
        Flight.FlightDescriptor.newBuilder()
            .setType(Flight.FlightDescriptor.DescriptorType.PATH)
            .addPath("there")
            .build();
    assertFails(Status.Code.NOT_FOUND, () -> client.raw().getFlightInfo(path));
    assertFails(
        Status.Code.UNIMPLEMENTED,
        () ->
            client
                .raw()
                .doAction(Flight.Action.newBuilder().setType("Nonsense").build())
                .hasNext());
  }
}
