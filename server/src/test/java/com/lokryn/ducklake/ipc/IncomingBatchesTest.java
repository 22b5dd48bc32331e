package com.lokryn.ducklake.ipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.lokryn.ducklake.ipc.IpcException.Fault;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.dictionary.DictionaryProvider.MapDictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.ipc.ReadChannel;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.ipc.message.MessageMetadataResult;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class IncomingBatchesTest {
  private static final Schema TEXT = schema(field("s", ArrowType.Utf8.INSTANCE));
  private static final Schema NUMBER = schema(field("i", new ArrowType.Int(32, true)));
  private static final Schema LIST =
      schema(
          new Field(
              "l",
              FieldType.nullable(ArrowType.List.INSTANCE),
              List.of(field("$data$", new ArrowType.Int(32, true)))));

  private final BufferAllocator allocator = new RootAllocator();
  private final Deque<IpcMessage> messages = new ArrayDeque<>();

  @AfterEach
  void nothingIsLeft() {
    messages.forEach(IpcMessage::close);
    assertThat(allocator.getAllocatedMemory()).isZero();
    allocator.close();
  }

  @Test
  void aBatchIsShownWithoutACopy() throws IOException {
    send(TEXT);
    send(nodes(2, 0), new byte[0], ints(0, 1, 3), "abc".getBytes(StandardCharsets.UTF_8));
    try (IncomingBatches batches = open()) {
      assertThat(batches.next()).isTrue();
      assertThat(batches.root().getVector(0).getObject(1)).hasToString("bc");
      assertThat(batches.next()).isFalse();
    }
  }

  @Test
  void offsetsThatFallOrLeadOutside() throws IOException {
    byte[] text = "abc".getBytes(StandardCharsets.UTF_8);
    for (int[] offsets :
        new int[][] {{0, 1, 4}, {0, 1, Integer.MAX_VALUE}, {-1, 1, 3}, {0, 3, 2}, {0, -5, 3}}) {
      refused(TEXT, Fault.MALFORMED, nodes(2, 0), new byte[0], ints(offsets), text);
      refused(
          LIST,
          Fault.MALFORMED,
          nodes(2, 0, 3, 0),
          new byte[0],
          ints(offsets),
          new byte[0],
          ints(1, 2, 3));
    }
  }

  @Test
  void lengthsThatTheBuffersDoNotHave() throws IOException {
    refused(NUMBER, Fault.MALFORMED, nodes(1_000_000, 0), new byte[0], ints(1, 2));
    refused(NUMBER, Fault.MALFORMED, nodes(2, 1), new byte[0], ints(1, 2));
    refused(NUMBER, Fault.MALFORMED, nodes(2, 3), new byte[1], ints(1, 2));
    refused(NUMBER, Fault.MALFORMED, nodes(2, -1), new byte[1], ints(1, 2));
    refused(TEXT, Fault.MALFORMED, nodes(2, 0), new byte[0], ints(0, 1), new byte[3]);
    refused(NUMBER, Fault.MALFORMED, nodes(2, 0), new byte[0]);
    refused(NUMBER, Fault.MALFORMED, new long[0]);
  }

  @Test
  void bitmapsThatNobodySent() throws IOException {
    // A hundred structs around a NULL: no bytes at all, and 250 MB of bitmaps for each of them.
    Field field = field("n", ArrowType.Null.INSTANCE);
    long[] nodes = new long[2 * 20];
    for (int i = 0; i < 19; i++) {
      field = new Field("s", FieldType.nullable(ArrowType.Struct.INSTANCE), List.of(field));
      nodes[2 * i] = 2_000_000_000;
    }
    nodes[38] = 2_000_000_000;
    byte[][] none = new byte[19][0];
    refused(schema(field), Fault.TOO_LARGE, nodes, none);
  }

  @Test
  void textThatIsNotUtf8() throws IOException {
    byte[] half = "aé".getBytes(StandardCharsets.UTF_8);
    refused(TEXT, Fault.MALFORMED, nodes(2, 0), new byte[0], ints(0, 2, 3), half);
    refused(TEXT, Fault.MALFORMED, nodes(1, 0), new byte[0], ints(0, 1), new byte[] {(byte) 0xFF});
    // Behind a NULL there may be anything.
    send(TEXT);
    send(nodes(2, 1), new byte[] {2}, ints(0, 1, 2), new byte[] {(byte) 0xFF, 'x'});
    try (IncomingBatches batches = open()) {
      assertThat(batches.next()).isTrue();
      assertThat(batches.root().getVector(0).getObject(1)).hasToString("x");
    }
  }

  @Test
  void indicesOutsideOfTheirDictionary() throws IOException {
    for (int index : new int[] {2, 100_000, 50_000_000, -1, Integer.MIN_VALUE}) {
      try (VarCharVector values = texts("one", "two")) {
        write(values, new int[] {0, index});
        try (IncomingBatches batches = open()) {
          assertThatThrownBy(batches::next)
              .isInstanceOfSatisfying(
                  IpcException.class,
                  e -> {
                    assertThat(e.fault()).isEqualTo(Fault.MALFORMED);
                    assertThat(e).hasMessageContaining("column d");
                  });
        }
      }
    }
  }

  @Test
  void aDictionaryIsResolved() throws IOException {
    try (VarCharVector values = texts("one", "two", null)) {
      write(values, new int[] {1, 0, 2, 1});
      try (IncomingBatches batches = open()) {
        assertThat(batches.schema().getFields().getFirst().getType())
            .isEqualTo(ArrowType.Utf8.INSTANCE);
        assertThat(batches.next()).isTrue();
        assertThat(rows(batches.root().getVector(0))).containsExactly("two", "one", "null", "two");
      }
    }
  }

  @Test
  void aDictionaryInsideOfAStructInAList() throws IOException {
    var encoding = new DictionaryEncoding(7, false, new ArrowType.Int(8, false));
    try (VarCharVector values = texts("x", "y");
        StructVector struct = StructVector.empty("s", allocator);
        ListVector list = ListVector.empty("l", allocator)) {
      FieldVector index =
          struct.addOrGet(
              "d",
              new FieldType(true, new ArrowType.Int(8, false), encoding),
              org.apache.arrow.vector.UInt1Vector.class);
      ((org.apache.arrow.vector.UInt1Vector) index).setSafe(0, 1);
      struct.setIndexDefined(0);
      struct.setValueCount(1);
      var provider = new MapDictionaryProvider(new Dictionary(values, encoding));
      try (VectorSchemaRoot root = VectorSchemaRoot.of(struct)) {
        root.setRowCount(1);
        write(root, provider);
      }
      try (IncomingBatches batches = open()) {
        assertThat(batches.next()).isTrue();
        assertThat(batches.root().getVector(0).getObject(0)).hasToString("{\"d\":\"y\"}");
      }
    }
  }

  @Test
  void aSchemaThatRefersToItself() {
    // A field of 16 children that are all the same field of 16 children, and so on, 20 deep.
    var builder = new com.google.flatbuffers.FlatBufferBuilder();
    int name = builder.createString("f");
    org.apache.arrow.flatbuf.Null.startNull(builder);
    int type = org.apache.arrow.flatbuf.Null.endNull(builder);
    int field = 0;
    for (int depth = 0; depth < 20; depth++) {
      int[] same = new int[depth == 0 ? 0 : 16];
      java.util.Arrays.fill(same, field);
      int children = org.apache.arrow.flatbuf.Field.createChildrenVector(builder, same);
      field =
          org.apache.arrow.flatbuf.Field.createField(
              builder, name, true, org.apache.arrow.flatbuf.Type.Null, type, 0, children, 0);
    }
    int fields = org.apache.arrow.flatbuf.Schema.createFieldsVector(builder, new int[] {field});
    int schema = org.apache.arrow.flatbuf.Schema.createSchema(builder, (short) 0, fields, 0, 0);
    int message =
        org.apache.arrow.flatbuf.Message.createMessage(
            builder,
            org.apache.arrow.flatbuf.MetadataVersion.V5,
            org.apache.arrow.flatbuf.MessageHeader.Schema,
            schema,
            0,
            0);
    builder.finish(message);
    messages.add(new IpcMessage(builder.dataBuffer(), allocator.getEmpty()));
    assertThatThrownBy(this::open).isInstanceOf(IpcException.class);
  }

  /** Flips bytes of a valid stream: whatever comes of it is refused, or can be read. */
  @Test
  void damagedMessages() throws IOException {
    var random = new Random(20_261_124);
    List<byte[]> headers = new ArrayList<>();
    List<byte[]> bodies = new ArrayList<>();
    try (VarCharVector values = texts("one", "zwei", null, "três")) {
      write(values, new int[] {0, 1, 2, 3, 3, 1});
    }
    for (IpcMessage message; (message = messages.poll()) != null; message.close()) {
      byte[] header = new byte[message.header().remaining()];
      message.header().get(header);
      headers.add(header);
      byte[] body = new byte[(int) message.body().capacity()];
      message.body().getBytes(0, body);
      bodies.add(body);
    }
    int read = 0;
    for (int run = 0; run < 20_000; run++) {
      int damaged = random.nextInt(headers.size());
      for (int i = 0; i < headers.size(); i++) {
        byte[] header = headers.get(i).clone();
        byte[] body = bodies.get(i).clone();
        byte[] victim = random.nextInt(3) == 0 && body.length > 0 ? body : header;
        for (int flips = i == damaged ? 1 + random.nextInt(3) : 0; flips > 0; flips--) {
          victim[random.nextInt(victim.length)] = (byte) random.nextInt();
        }
        messages.add(new IpcMessage(ByteBuffer.wrap(header), buffer(body)));
      }
      try (IncomingBatches batches = open()) {
        while (batches.next()) {
          batches.root().getFieldVectors().forEach(IncomingBatchesTest::rows);
          read++;
        }
      } catch (IpcException _) {
        // As it should be.
      }
      messages.forEach(IpcMessage::close);
      messages.clear();
    }
    assertThat(read).isGreaterThan(1_000);
  }

  private IncomingBatches open() {
    return IncomingBatches.open(() -> Optional.ofNullable(messages.poll()), allocator)
        .orElseThrow(() -> IpcException.malformed("no schema"));
  }

  private void refused(Schema schema, Fault fault, long[] nodes, byte[]... buffers)
      throws IOException {
    send(schema);
    send(nodes, buffers);
    try (IncomingBatches batches = open()) {
      assertThatThrownBy(batches::next)
          .isInstanceOfSatisfying(IpcException.class, e -> assertThat(e.fault()).isEqualTo(fault));
    }
  }

  private void send(Schema schema) {
    messages.add(
        new IpcMessage(
            MessageSerializer.serializeMetadata(
                schema, org.apache.arrow.vector.ipc.message.IpcOption.DEFAULT),
            allocator.getEmpty()));
  }

  /**
   * @param nodes a length and a number of nulls for each vector
   */
  private void send(long[] nodes, byte[]... buffers) throws IOException {
    List<ArrowFieldNode> described = new ArrayList<>();
    for (int i = 0; i < nodes.length; i += 2) {
      described.add(new ArrowFieldNode(nodes[i], nodes[i + 1]));
    }
    List<ArrowBuf> held = new ArrayList<>();
    for (byte[] buffer : buffers) {
      held.add(buffer(buffer));
    }
    int rows = nodes.length == 0 ? 1 : (int) nodes[0];
    var bytes = new ByteArrayOutputStream();
    try (var batch = new ArrowRecordBatch(rows, described, held)) {
      MessageSerializer.serialize(
          new org.apache.arrow.vector.ipc.WriteChannel(Channels.newChannel(bytes)), batch);
    }
    held.forEach(ArrowBuf::close);
    receive(bytes.toByteArray());
  }

  private void write(VarCharVector values, int[] indices) throws IOException {
    var encoding = new DictionaryEncoding(1, false, new ArrowType.Int(32, true));
    var field = new FieldType(true, new ArrowType.Int(32, true), encoding);
    try (var index = new IntVector("d", field, allocator);
        VectorSchemaRoot root = VectorSchemaRoot.of(index)) {
      for (int i = 0; i < indices.length; i++) {
        index.setSafe(i, indices[i]);
      }
      root.setRowCount(indices.length);
      write(root, new MapDictionaryProvider(new Dictionary(values, encoding)));
    }
  }

  private void write(VectorSchemaRoot root, DictionaryProvider provider) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var writer = new ArrowStreamWriter(root, provider, bytes)) {
      writer.start();
      writer.writeBatch();
    }
    receive(bytes.toByteArray());
  }

  /** Takes the messages of a stream apart. */
  private void receive(byte[] stream) throws IOException {
    var channel = new ReadChannel(Channels.newChannel(new ByteArrayInputStream(stream)));
    for (MessageMetadataResult metadata = MessageSerializer.readMessage(channel);
        metadata != null;
        metadata = MessageSerializer.readMessage(channel)) {
      ArrowBuf body =
          metadata.getMessageBodyLength() == 0
              ? allocator.getEmpty()
              : MessageSerializer.readMessageBody(
                  channel, metadata.getMessageBodyLength(), allocator);
      messages.add(new IpcMessage(metadata.getMessageBuffer(), body));
    }
  }

  private VarCharVector texts(@Nullable String... texts) {
    var vector = new VarCharVector("values", allocator);
    for (int i = 0; i < texts.length; i++) {
      if (texts[i] == null) {
        vector.setNull(i);
      } else {
        vector.setSafe(i, texts[i].getBytes(StandardCharsets.UTF_8));
      }
    }
    vector.setValueCount(texts.length);
    return vector;
  }

  private static List<String> rows(FieldVector vector) {
    var rows = new ArrayList<String>();
    for (int row = 0; row < vector.getValueCount(); row++) {
      rows.add(String.valueOf(vector.getObject(row)));
    }
    return rows;
  }

  private ArrowBuf buffer(byte[] bytes) {
    ArrowBuf buffer = allocator.buffer(bytes.length);
    buffer.writeBytes(bytes);
    return buffer;
  }

  private static long[] nodes(long... lengthsAndNulls) {
    return lengthsAndNulls;
  }

  private static byte[] ints(int... values) {
    var bytes = ByteBuffer.allocate(4 * values.length).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      bytes.putInt(value);
    }
    return bytes.array();
  }

  private static Field field(String name, ArrowType type) {
    return Field.nullable(name, type);
  }

  private static Schema schema(Field... fields) {
    return new Schema(List.of(fields));
  }
}
