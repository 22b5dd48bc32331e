package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.lokryn.ducklake.testing.LocalServer;
import com.lokryn.ducklake.testing.TestingClient;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.arrow.flight.FlightDescriptor;
import org.apache.arrow.flight.PutResult;
import org.apache.arrow.flight.SyncPutListener;
import org.apache.arrow.flight.impl.Flight;
import org.apache.arrow.flight.sql.FlightSqlClient.PreparedStatement;
import org.apache.arrow.flight.sql.impl.FlightSql;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.LargeVarCharVector;
import org.apache.arrow.vector.TimeSecVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ViewVarCharVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What clients bind, well made or not. */
class ParametersIT {
  private static final String INSERT = "INSERT INTO bound VALUES (?)";

  @RegisterExtension static final LocalServer server = new LocalServer();

  private TestingClient client;

  @BeforeEach
  void connect() {
    client = server.connect();
    client.update("CREATE OR REPLACE TABLE bound (s VARCHAR)");
  }

  @ParameterizedTest
  @CsvSource({
    "8,true,100",
    "8,false,200",
    "16,true,300",
    "16,false,40000",
    "32,true,300",
    "32,false,300",
    "64,true,300",
    "64,false,300"
  })
  void dictionaries(int bits, boolean signed, int values) throws Exception {
    int last = values - 1;
    assertThat(putEncoded(new ArrowType.Int(bits, signed), values, 0, last, last / 2)).isEqualTo(3);
    assertThat(client.rows("SELECT s FROM bound ORDER BY length(s), s"))
        .containsExactlyInAnyOrder(List.of("v0"), List.of("v" + last), List.of("v" + last / 2));
  }

  @ParameterizedTest
  @CsvSource({
    "8,true",
    "8,false",
    "16,true",
    "16,false",
    "32,true",
    "32,false",
    "64,true",
    "64,false"
  })
  void anIndexOutsideOfTheDictionaryIsRefused(int bits, boolean signed) {
    var type = new ArrowType.Int(bits, signed);
    for (long index : List.of(20L, -1L, -128L)) {
      assertFails(Status.Code.INVALID_ARGUMENT, () -> putEncoded(type, 20, 1, index))
          .contains("of a dictionary of 20");
    }
  }

  @Test
  void aNullOfADictionaryIsNull() throws Exception {
    try (var values = new VarCharVector("values", client.allocator())) {
      values.setSafe(0, "null".getBytes(StandardCharsets.UTF_8));
      values.setNull(1);
      values.setValueCount(2);
      assertThat(putEncoded(values, new ArrowType.Int(8, true), 0, 1)).isEqualTo(2);
    }
    assertThat(client.rows("SELECT s IS NULL FROM bound ORDER BY 1"))
        .isEqualTo(List.of(List.of(false), List.of(true)));
  }

  @Test
  void noRowsAreNoRuns() throws Exception {
    try (var none = new VarCharVector("1", client.allocator());
        var root = VectorSchemaRoot.of(none)) {
      assertThat(put(INSERT, root, true)).isZero();
      // A schema alone.
      assertThat(put(INSERT, root, false)).isZero();
      assertThat(put("INSERT INTO bound VALUES ('x')", root, true)).isZero();
      assertThat(client.value("SELECT count(*) FROM bound")).isEqualTo(0L);
    }
  }

  @Test
  void noColumnsAreOneRun() throws Exception {
    try (var root = VectorSchemaRoot.of()) {
      assertThat(put("INSERT INTO bound VALUES ('x')", root, true)).isEqualTo(1);
      assertThat(put("INSERT INTO bound VALUES ('x')", root, false)).isEqualTo(1);
    }
    assertThat(client.value("SELECT count(*) FROM bound")).isEqualTo(2L);
  }

  @Test
  void aQueryNeedsARow() throws Exception {
    try (PreparedStatement statement = client.sql().prepare("SELECT ?::INT")) {
      assertFails(Status.Code.INVALID_ARGUMENT, () -> statement.execute());
    }
  }

  @Test
  void megabytesOfValuesAreRefused() throws Exception {
    try (var value = new VarBinaryVector("1", client.allocator());
        var root = VectorSchemaRoot.of(value)) {
      byte[] megabyte = new byte[1 << 20];
      for (int i = 0; i < 70; i++) {
        value.setSafe(i, megabyte);
      }
      root.setRowCount(70);
      assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> put(INSERT, root, true))
          .contains("64 MiB")
          .contains("bulk ingest");
      root.setRowCount(30);
      assertThat(put("INSERT INTO bound VALUES (octet_length(?::BLOB)::VARCHAR)", root, true))
          .isEqualTo(30);
    }
  }

  @Test
  void manySmallValuesAreRefused() throws Exception {
    try (var value = new BigIntVector("1", client.allocator());
        var root = VectorSchemaRoot.of(value)) {
      root.setRowCount(2_000_000);
      for (int i = 0; i < 2_000_000; i++) {
        value.setSafe(i, i);
      }
      root.setRowCount(2_000_000);
      assertFails(Status.Code.RESOURCE_EXHAUSTED, () -> put(INSERT, root, true))
          .contains("bulk ingest");
    }
  }

  /** Two texts of three letters, and then offsets that are wrong. */
  @ParameterizedTest
  @CsvSource({"0,1000000,6", "-1000000,3,6", "0,-5,6", "4,3,6"})
  void offsetsOutsideOfTheirBufferAreRefused(int first, int second, int third) throws Exception {
    int[] offsets = {first, second, third};
    try (var text = new VarCharVector("1", client.allocator());
        var large = new LargeVarCharVector("1", client.allocator())) {
      for (int i = 0; i < 2; i++) {
        text.setSafe(i, "abc".getBytes(StandardCharsets.UTF_8));
        large.setSafe(i, "abc".getBytes(StandardCharsets.UTF_8));
      }
      text.setValueCount(2);
      large.setValueCount(2);
      for (int i = 0; i < 3; i++) {
        text.getOffsetBuffer().setInt(4L * i, offsets[i]);
        large.getOffsetBuffer().setLong(8L * i, offsets[i]);
      }
      for (FieldVector vector : List.of(text, large)) {
        assertFails(
                Status.Code.INVALID_ARGUMENT,
                () -> put(INSERT, new VectorSchemaRoot(List.of(vector)), true))
            .contains("of its data");
      }
    }
    assertThat(client.value("SELECT count(*) FROM bound")).isEqualTo(0L);
  }

  @Test
  void viewsOutsideOfTheirBufferAreRefused() throws Exception {
    try (var views = new ViewVarCharVector("1", client.allocator())) {
      views.setSafe(0, "more than twelve letters".getBytes(StandardCharsets.UTF_8));
      views.setSafe(1, "few".getBytes(StandardCharsets.UTF_8));
      views.setValueCount(2);
      var root = new VectorSchemaRoot(List.of(views));
      assertThat(put(INSERT, root, true)).isEqualTo(2);
      for (var wrong : List.of(List.of(12L, 1_000_000), List.of(8L, 7), List.of(12L, -9))) {
        int kept = views.getDataBuffer().getInt(wrong.getFirst().longValue());
        views.getDataBuffer().setInt(wrong.getFirst().longValue(), wrong.getLast().intValue());
        assertFails(Status.Code.INVALID_ARGUMENT, () -> put(INSERT, root, true))
            .contains("of its data");
        views.getDataBuffer().setInt(wrong.getFirst().longValue(), kept);
      }
    }
  }

  @Test
  void nestedTypesAndImpossibleTimesAreRefused() throws Exception {
    try (var list = ListVector.empty("1", client.allocator());
        var time = new TimeSecVector("1", client.allocator())) {
      list.addOrGetVector(FieldType.nullable(new ArrowType.Int(32, true)));
      list.startNewValue(0);
      list.endValue(0, 0);
      list.setValueCount(1);
      assertFails(
              Status.Code.INVALID_ARGUMENT,
              () -> put(INSERT, new VectorSchemaRoot(List.of(list)), true))
          .contains("not supported");
      time.setSafe(0, 100_000);
      time.setValueCount(1);
      assertFails(
              Status.Code.INVALID_ARGUMENT,
              () -> put(INSERT, new VectorSchemaRoot(List.of(time)), true))
          .contains("is not a time of day");
    }
  }

  private long putEncoded(ArrowType.Int type, int values, long... indices) throws Exception {
    try (var texts = new VarCharVector("values", client.allocator())) {
      for (int i = 0; i < values; i++) {
        texts.setSafe(i, ("v" + i).getBytes(StandardCharsets.UTF_8));
      }
      texts.setValueCount(values);
      return putEncoded(texts, type, indices);
    }
  }

  private long putEncoded(VarCharVector values, ArrowType.Int type, long... indices)
      throws Exception {
    var encoding = new DictionaryEncoding(1, false, type);
    var provider = new DictionaryProvider.MapDictionaryProvider(new Dictionary(values, encoding));
    try (FieldVector encoded =
        new FieldType(true, type, encoding).createNewSingleVector("1", client.allocator(), null)) {
      encoded.setInitialCapacity(indices.length);
      encoded.allocateNew();
      int at = 0;
      for (long index : LongStream.of(indices).toArray()) {
        ((BaseIntVector) encoded).setUnsafeWithPossibleTruncate(at++, index);
      }
      encoded.setValueCount(indices.length);
      return put(INSERT, new VectorSchemaRoot(List.of(encoded)), provider, true);
    }
  }

  private long put(String sql, VectorSchemaRoot root, boolean batch) throws Exception {
    return put(sql, root, new DictionaryProvider.MapDictionaryProvider(), batch);
  }

  /** Prepares a statement, binds rows to it, runs it, and returns the rows changed. */
  private long put(String sql, VectorSchemaRoot root, DictionaryProvider provider, boolean batch)
      throws Exception {
    var command =
        FlightSql.CommandPreparedStatementUpdate.newBuilder()
            .setPreparedStatementHandle(prepare(sql))
            .build();
    try (var listener = new SyncPutListener()) {
      var stream =
          client
              .flight()
              .startPut(
                  FlightDescriptor.command(Any.pack(command).toByteArray()),
                  root,
                  provider,
                  listener);
      if (batch) {
        stream.putNext();
      }
      stream.completed();
      try (PutResult result = listener.read()) {
        if (result == null) {
          listener.getResult();
        }
        return FlightSql.DoPutUpdateResult.parseFrom(result.getApplicationMetadata().nioBuffer())
            .getRecordCount();
      }
    }
  }

  private ByteString prepare(String sql) throws Exception {
    var request = FlightSql.ActionCreatePreparedStatementRequest.newBuilder().setQuery(sql).build();
    var action =
        Flight.Action.newBuilder()
            .setType("CreatePreparedStatement")
            .setBody(Any.pack(request).toByteString())
            .build();
    return Any.parseFrom(client.raw().doAction(action).next().getBody())
        .unpack(FlightSql.ActionCreatePreparedStatementResult.class)
        .getPreparedStatementHandle();
  }
}
