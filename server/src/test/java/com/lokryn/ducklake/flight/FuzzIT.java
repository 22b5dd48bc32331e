package com.lokryn.ducklake.flight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.lokryn.ducklake.testing.LocalServer;
import com.lokryn.ducklake.testing.RawBytes;
import com.lokryn.ducklake.testing.TestingClient;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableExistsOption;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableNotExistOption;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.ipc.message.IpcOption;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Requests of each method with bytes that were changed, cut off or mixed up, from a seed: each ends
 * in time with a status that says whose fault it was, and the server goes on. {@code -Dfuzz.seed}
 * and {@code -Dfuzz.seconds} try others, and longer.
 */
class FuzzIT {
  private static final long SEED = Long.getLong("fuzz.seed", 20_261_130L);
  private static final long SECONDS = Long.getLong("fuzz.seconds", 20);
  private static final int MAX_CALLS = 1_000_000;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** Ends of a request that say that the server, not the client, is at fault. */
  private static final Set<Status.Code> OURS =
      EnumSet.of(
          Status.Code.INTERNAL,
          Status.Code.UNKNOWN,
          Status.Code.DATA_LOSS,
          Status.Code.UNAVAILABLE,
          Status.Code.DEADLINE_EXCEEDED);

  @RegisterExtension static final LocalServer server = new LocalServer();

  private final Random random = new Random(SEED);

  /** Requests that are in order: for each method some sequences of messages. */
  private final Map<String, List<List<byte[]>>> seeds = new LinkedHashMap<>();

  @Test
  void whateverComesEndsWithAStatus() throws Exception {
    try (TestingClient client = server.connect()) {
      client.update("CREATE TABLE kept AS SELECT 1 AS i");
      seed(client);
    }
    List<String> methods = server.server().methods();
    assertThat(seeds.keySet())
        .containsAll(methods.stream().filter(m -> m.contains("Flight")).toList());
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port())
            .usePlaintext()
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .build();
    var ends = new java.util.TreeMap<Status.Code, Integer>();
    try {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
      for (int i = 0; i < MAX_CALLS && System.nanoTime() < end; i++) {
        String method = methods.get(random.nextInt(methods.size()));
        List<byte[]> messages = mutated(method);
        Status status = call(channel, method, messages);
        ends.merge(status.getCode(), 1, Integer::sum);
        requireTheirs(i, method, messages, status);
      }
    } finally {
      channel.shutdownNow();
    }
    // Some go through, so that what is behind the first look is tried as well.
    assertThat(ends).containsKeys(Status.Code.OK, Status.Code.INVALID_ARGUMENT);
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(server.server().openConnections()).isZero());
    try (TestingClient client = server.connect()) {
      assertThat(client.value("SELECT i FROM kept")).isEqualTo(1);
    }
  }

  private static void requireTheirs(
      int number, String method, List<byte[]> messages, Status status) {
    String text = String.valueOf(status.getDescription());
    boolean isTrace = text.contains("\tat ") || text.contains("java.lang.");
    if (OURS.contains(status.getCode()) || isTrace) {
      fail(
          "call %d (seed %d) of %s ended with %s: %s"
              .formatted(
                  number,
                  SEED,
                  method,
                  status,
                  messages.stream().map(HexFormat.of()::formatHex).toList()));
    }
  }

  private List<byte[]> mutated(String method) {
    List<List<byte[]>> known = seeds.getOrDefault(method, List.of(List.of(new byte[0])));
    var messages = new ArrayList<>(known.get(random.nextInt(known.size())));
    int changes = random.nextInt(4);
    for (int i = 0; i < changes; i++) {
      int at = random.nextInt(messages.size());
      messages.set(at, mutated(messages.get(at)));
    }
    boolean isStream = messages.size() > 1;
    if (random.nextInt(10) == 0 && isStream) {
      messages.remove(random.nextInt(messages.size()));
    }
    if (random.nextInt(10) == 0 && isStream) {
      messages.add(messages.get(random.nextInt(messages.size())));
    }
    return messages;
  }

  private byte[] mutated(byte[] message) {
    byte[] changed = message.clone();
    if (changed.length == 0) {
      byte[] made = new byte[random.nextInt(32)];
      random.nextBytes(made);
      return made;
    }
    int at = random.nextInt(changed.length);
    switch (random.nextInt(7)) {
      case 0 -> changed[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> changed[at] = (byte) random.nextInt(256);
      case 2 -> changed[at] = (byte) 0xFF;
      case 3 -> changed = Arrays.copyOf(changed, at);
      case 4 -> {
        byte[] more = new byte[random.nextInt(16)];
        random.nextBytes(more);
        changed =
            join(Arrays.copyOf(changed, at), more, Arrays.copyOfRange(changed, at, changed.length));
      }
      case 5 -> {
        int to = at + random.nextInt(changed.length - at);
        byte[] part = Arrays.copyOfRange(changed, at, to);
        changed =
            join(Arrays.copyOf(changed, at), part, Arrays.copyOfRange(changed, at, changed.length));
      }
      default -> {
        for (int i = 0; i < 8; i++) {
          changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
        }
      }
    }
    return changed;
  }

  private static byte[] join(byte[]... parts) {
    ByteBuffer all = ByteBuffer.allocate(Arrays.stream(parts).mapToInt(part -> part.length).sum());
    Arrays.stream(parts).forEach(all::put);
    return all.array();
  }

  private Status call(ManagedChannel channel, String method, List<byte[]> messages)
      throws Exception {
    ClientCall<byte[], byte[]> call = channel.newCall(RawBytes.method(method), CallOptions.DEFAULT);
    var ended = new CompletableFuture<Status>();
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(byte[] message) {
            call.request(1);
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            ended.complete(status);
          }
        },
        new Metadata());
    call.request(1);
    messages.forEach(call::sendMessage);
    boolean isLeftOpen = method.contains("Health") || random.nextInt(20) == 0;
    if (isLeftOpen) {
      call.cancel("given up", null);
    } else {
      call.halfClose();
    }
    try {
      return ended.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      call.cancel("no answer", e);
      return Status.DEADLINE_EXCEEDED.withDescription("no answer in " + PATIENCE);
    }
  }

  private void seed(TestingClient client) throws Exception {
    var prepared =
        action(
            client,
            "CreatePreparedStatement",
            FlightSql.ActionCreatePreparedStatementRequest.newBuilder()
                .setQuery("SELECT i FROM kept WHERE i > ?")
                .build());
    ByteString handle =
        Any.parseFrom(prepared)
            .unpack(FlightSql.ActionCreatePreparedStatementResult.class)
            .getPreparedStatementHandle();
    List<Message> commands =
        List.of(
            FlightSql.CommandStatementQuery.newBuilder()
                .setQuery("SELECT i, 'x' FROM kept")
                .build(),
            FlightSql.CommandPreparedStatementQuery.newBuilder()
                .setPreparedStatementHandle(handle)
                .build(),
            FlightSql.CommandGetCatalogs.getDefaultInstance(),
            FlightSql.CommandGetDbSchemas.newBuilder().setDbSchemaFilterPattern("m%").build(),
            FlightSql.CommandGetTables.newBuilder()
                .setCatalog("lake")
                .setTableNameFilterPattern("k%")
                .addTableTypes("TABLE")
                .setIncludeSchema(true)
                .build(),
            FlightSql.CommandGetTableTypes.getDefaultInstance(),
            FlightSql.CommandGetPrimaryKeys.newBuilder().setTable("kept").build(),
            FlightSql.CommandGetExportedKeys.newBuilder().setTable("kept").build(),
            FlightSql.CommandGetImportedKeys.newBuilder().setTable("kept").build(),
            FlightSql.CommandGetCrossReference.newBuilder()
                .setPkTable("kept")
                .setFkTable("kept")
                .build(),
            FlightSql.CommandGetXdbcTypeInfo.newBuilder().setDataType(4).build(),
            FlightSql.CommandGetSqlInfo.newBuilder().addInfo(0).addInfo(500).build(),
            FlightSql.CommandStatementSubstraitPlan.getDefaultInstance());
    for (Message command : commands) {
      Flight.FlightDescriptor descriptor = descriptor(command);
      for (String method : List.of("GetFlightInfo", "GetSchema")) {
        add(method, descriptor);
      }
      add("DoGet", Flight.Ticket.newBuilder().setTicket(Any.pack(command).toByteString()).build());
    }
    add("PollFlightInfo", descriptor(commands.getFirst()));
    add("GetFlightInfo", Flight.FlightDescriptor.newBuilder().addPath("kept").build());
    add("ListFlights", Flight.Criteria.newBuilder().setExpression(bytes("kept")).build());
    add("ListActions", Flight.Empty.getDefaultInstance());
    add("Handshake", Flight.HandshakeRequest.newBuilder().setPayload(bytes("user")).build());
    ByteString info = ByteString.copyFrom(client.info("SELECT i FROM kept").serialize());
    ByteString ticket = Flight.FlightInfo.parseFrom(info).getEndpoint(0).getTicket().getTicket();
    add("DoGet", Flight.Ticket.newBuilder().setTicket(ticket).build());
    seedActions(handle, info);
    seedUploads(client, handle);
  }

  @SuppressWarnings("deprecation") // older clients send it
  private void seedActions(ByteString handle, ByteString info) throws Exception {
    act(
        "CreatePreparedStatement",
        FlightSql.ActionCreatePreparedStatementRequest.newBuilder().setQuery("SELECT 1").build());
    act(
        "ClosePreparedStatement",
        FlightSql.ActionClosePreparedStatementRequest.newBuilder()
            .setPreparedStatementHandle(bytes("none"))
            .build());
    act("BeginTransaction", FlightSql.ActionBeginTransactionRequest.getDefaultInstance());
    act(
        "EndTransaction",
        FlightSql.ActionEndTransactionRequest.newBuilder()
            .setTransactionId(handle)
            .setAction(FlightSql.ActionEndTransactionRequest.EndTransaction.END_TRANSACTION_COMMIT)
            .build());
    act("BeginSavepoint", FlightSql.ActionBeginSavepointRequest.newBuilder().setName("s").build());
    act("CancelQuery", FlightSql.ActionCancelQueryRequest.newBuilder().setInfo(info).build());
    actBare(
        "CancelFlightInfo",
        Flight.CancelFlightInfoRequest.newBuilder()
            .setInfo(Flight.FlightInfo.parseFrom(info))
            .build());
    actBare(
        "RenewFlightEndpoint",
        Flight.RenewFlightEndpointRequest.newBuilder()
            .setEndpoint(Flight.FlightInfo.parseFrom(info).getEndpoint(0))
            .build());
    actBare(
        "SetSessionOptions",
        Flight.SetSessionOptionsRequest.newBuilder()
            .putSessionOptions(
                "schema", Flight.SessionOptionValue.newBuilder().setStringValue("main").build())
            .build());
    actBare("GetSessionOptions", Flight.GetSessionOptionsRequest.getDefaultInstance());
    actBare("CloseSession", Flight.CloseSessionRequest.getDefaultInstance());
  }

  private void seedUploads(TestingClient client, ByteString handle) throws Exception {
    List<byte[]> rows = rows(client);
    for (Message command :
        List.of(
            FlightSql.CommandStatementUpdate.newBuilder()
                .setQuery("CREATE OR REPLACE TEMP TABLE x AS SELECT 1 AS i")
                .build(),
            FlightSql.CommandPreparedStatementUpdate.newBuilder()
                .setPreparedStatementHandle(handle)
                .build(),
            FlightSql.CommandPreparedStatementQuery.newBuilder()
                .setPreparedStatementHandle(handle)
                .build(),
            FlightSql.CommandStatementIngest.newBuilder()
                .setTable("uploaded")
                .setTableDefinitionOptions(
                    TableDefinitionOptions.newBuilder()
                        .setIfNotExist(TableNotExistOption.TABLE_NOT_EXIST_OPTION_CREATE)
                        .setIfExists(TableExistsOption.TABLE_EXISTS_OPTION_APPEND))
                .build())) {
      var messages = new ArrayList<byte[]>();
      Flight.FlightData first = Flight.FlightData.parseFrom(rows.getFirst());
      messages.add(
          first.toBuilder().setFlightDescriptor(descriptor(command)).build().toByteArray());
      messages.addAll(rows.subList(1, rows.size()));
      for (String method : List.of("DoPut", "DoExchange")) {
        seeds.computeIfAbsent(name(method), _ -> new ArrayList<>()).add(List.copyOf(messages));
      }
    }
  }

  /** A schema and two batches as they are sent. */
  private static List<byte[]> rows(TestingClient client) throws Exception {
    var messages = new ArrayList<byte[]>();
    try (var root =
        VectorSchemaRoot.of(
            new IntVector("i", client.allocator()), new VarCharVector("s", client.allocator()))) {
      messages.add(
          Flight.FlightData.newBuilder()
              .setDataHeader(
                  ByteString.copyFrom(
                      MessageSerializer.serializeMetadata(root.getSchema(), IpcOption.DEFAULT)))
              .build()
              .toByteArray());
      for (int row = 0; row < 3; row++) {
        ((IntVector) root.getVector(0)).setSafe(row, row);
        ((VarCharVector) root.getVector(1)).setSafe(row, new byte[] {'x'});
      }
      root.setRowCount(3);
      try (ArrowRecordBatch batch = new VectorUnloader(root).getRecordBatch()) {
        var body = ByteString.newOutput();
        for (ArrowBuf buffer : batch.getBuffers()) {
          byte[] bytes = new byte[(int) buffer.readableBytes()];
          buffer.getBytes(0, bytes);
          body.write(bytes);
          body.write(new byte[(8 - bytes.length % 8) % 8]);
        }
        byte[] message =
            Flight.FlightData.newBuilder()
                .setDataHeader(
                    ByteString.copyFrom(
                        MessageSerializer.serializeMetadata(batch, IpcOption.DEFAULT)))
                .setDataBody(body.toByteString())
                .build()
                .toByteArray();
        messages.add(message);
        messages.add(message);
      }
    }
    return messages;
  }

  private static byte[] action(TestingClient client, String type, Message body) {
    return client
        .raw()
        .doAction(
            Flight.Action.newBuilder().setType(type).setBody(Any.pack(body).toByteString()).build())
        .next()
        .getBody()
        .toByteArray();
  }

  private void act(String type, Message body) {
    add(
        "DoAction",
        Flight.Action.newBuilder().setType(type).setBody(Any.pack(body).toByteString()).build());
  }

  private void actBare(String type, Message body) {
    add("DoAction", Flight.Action.newBuilder().setType(type).setBody(body.toByteString()).build());
  }

  private static Flight.FlightDescriptor descriptor(Message command) {
    return Flight.FlightDescriptor.newBuilder()
        .setType(Flight.FlightDescriptor.DescriptorType.CMD)
        .setCmd(Any.pack(command).toByteString())
        .build();
  }

  private static ByteString bytes(String text) {
    return ByteString.copyFrom(text, StandardCharsets.UTF_8);
  }

  private static String name(String method) {
    return "arrow.flight.protocol.FlightService/" + method;
  }

  private void add(String method, Message message) {
    seeds.computeIfAbsent(name(method), _ -> new ArrayList<>()).add(List.of(message.toByteArray()));
  }
}
