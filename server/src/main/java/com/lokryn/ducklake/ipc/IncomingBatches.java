package com.lokryn.ducklake.ipc;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.arrow.flatbuf.DictionaryBatch;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.MetadataVersion;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.DictionaryUtility;
import org.apache.arrow.vector.util.OversizedAllocationException;
import org.apache.arrow.vector.util.VectorBatchAppender;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The batches of an IPC stream, checked and plain: a batch that {@link #next} has loaded may be
 * read by someone who checks nothing. Buffers are the sender's own, not copies, except for columns
 * that came as dictionaries, views or runs. Used by one thread at a time.
 */
public final class IncomingBatches implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(IncomingBatches.class);

  /** What the columns of one batch may grow to when dictionaries, views and runs are resolved. */
  private static final long MAX_RESOLVED_BYTES = 1L << 30;

  private static final int LEAST_DECIMAL_BITS = 128;
  private static final int MAX_DECIMAL_DIGITS = 38;

  /** A dictionary, and its values in plain form once it has come. */
  private record Lexicon(Dictionary dictionary, PlainCopy values) {}

  /** A vector that is made anew whenever what it is made from changes. */
  private static final class PlainCopy implements AutoCloseable {
    private FieldVector vector;

    PlainCopy(FieldVector vector) {
      this.vector = vector;
    }

    void replace(FieldVector next) {
      vector.close();
      vector = next;
    }

    @Override
    public void close() {
      vector.close();
    }
  }

  private final Supplier<Optional<IpcMessage>> messages;
  private final BufferAllocator resolved;
  private final Map<Long, Lexicon> dictionaries = new TreeMap<>();
  private final PlainVectors plain =
      new PlainVectors(
          id -> {
            Lexicon found = dictionaries.get(id);
            if (found == null) {
              throw IpcException.malformed("a dictionary that its schema does not have");
            }
            return found.values.vector;
          });
  private final VectorSchemaRoot sent;
  private final boolean isPlain;

  /** The same as {@link #sent} where that is plain already. */
  private final VectorSchemaRoot root;

  private IncomingBatches(
      Schema schema,
      Supplier<Optional<IpcMessage>> messages,
      BufferAllocator allocator,
      BufferAllocator resolved) {
    this.messages = messages;
    this.resolved = resolved;
    var found = new HashMap<Long, Dictionary>();
    List<Field> fields = new ArrayList<>();
    for (Field field : schema.getFields()) {
      fields.add(DictionaryUtility.toMemoryFormat(field, allocator, found));
    }
    for (Dictionary dictionary : ordered(found)) {
      dictionaries.put(dictionary.getEncoding().getId(), lexicon(dictionary));
    }
    sent = VectorSchemaRoot.create(new Schema(fields, schema.getCustomMetadata()), allocator);
    isPlain = fields.stream().allMatch(PlainVectors::isPlain);
    root =
        isPlain
            ? sent
            : VectorSchemaRoot.create(
                new Schema(fields.stream().map(plain::plain).toList(), schema.getCustomMetadata()),
                resolved);
  }

  /**
   * Reads up to the schema.
   *
   * @param messages the stream, empty at its end; may block
   * @param allocator gives the memory of the vectors
   * @return empty when the stream ends without one
   */
  public static Optional<IncomingBatches> open(
      Supplier<Optional<IpcMessage>> messages, BufferAllocator allocator) {
    while (true) {
      Optional<IpcMessage> message = messages.get();
      if (message.isEmpty()) {
        return Optional.empty();
      }
      try (IpcMessage first = message.get()) {
        if (!first.isEmpty()) {
          return Optional.of(reading(() -> begun(schema(first), messages, allocator)));
        }
      }
    }
  }

  private static IncomingBatches begun(
      Schema schema, Supplier<Optional<IpcMessage>> messages, BufferAllocator allocator) {
    BufferAllocator resolved = allocator.newChildAllocator("resolved", 0, MAX_RESOLVED_BYTES);
    try {
      return new IncomingBatches(schema, messages, allocator, resolved);
    } catch (RuntimeException e) {
      // A type that there is no vector of; the vectors made before it hold no memory yet.
      resolved.close();
      throw e;
    }
  }

  /** The columns in plain form. */
  public Schema schema() {
    return root.getSchema();
  }

  /** Holds the batch loaded last; the next one overwrites it. */
  public VectorSchemaRoot root() {
    return root;
  }

  /**
   * Loads the next batch.
   *
   * @return false at the end of the stream
   * @throws IpcException when what comes is not a valid batch of this stream
   */
  public boolean next() {
    while (true) {
      Optional<IpcMessage> message = messages.get();
      if (message.isEmpty()) {
        return false;
      }
      try (IpcMessage one = message.get()) {
        if (!one.isEmpty() && reading(() -> take(one))) {
          return true;
        }
      }
    }
  }

  /** True when the message was a batch. */
  private boolean take(IpcMessage message) {
    Message metadata = message.metadata();
    return switch (metadata.headerType()) {
      case MessageHeader.RecordBatch -> {
        batch(message, metadata);
        yield true;
      }
      case MessageHeader.DictionaryBatch -> {
        dictionary(message, metadata);
        yield false;
      }
      case MessageHeader.Schema -> throw IpcException.malformed("a second schema");
      default -> throw IpcException.unsupported("only record batches are taken in, no tensors");
    };
  }

  private void batch(IpcMessage message, Message metadata) {
    var described = (RecordBatch) metadata.header(new RecordBatch());
    sent.clear();
    BatchLoader.load(described, message.body(), sent);
    if (!isPlain) {
      for (int i = 0; i < sent.getFieldVectors().size(); i++) {
        FieldVector target = root.getVector(i);
        target.clear();
        plain.move(sent.getVector(i), target);
      }
      root.setRowCount(sent.getRowCount());
    }
  }

  private void dictionary(IpcMessage message, Message metadata) {
    var described = (DictionaryBatch) metadata.header(new DictionaryBatch());
    Lexicon lexicon = dictionaries.get(described.id());
    if (lexicon == null || described.data() == null) {
      throw IpcException.malformed("a dictionary that its schema does not have");
    }
    FieldVector vector = lexicon.dictionary.getVector();
    FieldVector values = plain.plain(vector.getField()).createVector(resolved);
    try (FieldVector loaded = vector.getField().createVector(resolved);
        var one = new VectorSchemaRoot(List.of(loaded.getField()), List.of(loaded), 0)) {
      BatchLoader.load(described.data(), message.body(), one);
      plain.move(loaded, values);
      if (described.isDelta()) {
        FieldVector known = lexicon.values.vector;
        if ((long) known.getValueCount() + values.getValueCount() > Integer.MAX_VALUE) {
          throw IpcException.tooLarge("a dictionary of more than 2^31 entries");
        }
        // Into memory of our own: what lies in a message may lie there twice.
        FieldVector both = values.getField().createVector(resolved);
        both.allocateNew();
        VectorBatchAppender.batchAppend(both, known, values);
        values.close();
        lexicon.values.replace(both);
      } else {
        lexicon.values.replace(values);
      }
    } catch (RuntimeException e) {
      values.close();
      throw e;
    }
  }

  /** Dictionaries of dictionaries come after those that they refer to. */
  private static Collection<Dictionary> ordered(Map<Long, Dictionary> found) {
    var ordered = new LinkedHashMap<Long, Dictionary>();
    found.keySet().forEach(id -> order(id, found, ordered));
    return ordered.values();
  }

  private static void order(long id, Map<Long, Dictionary> found, Map<Long, Dictionary> ordered) {
    Dictionary dictionary = found.get(id);
    if (dictionary != null && !ordered.containsKey(id)) {
      references(dictionary.getVector().getField()).forEach(other -> order(other, found, ordered));
      ordered.put(id, dictionary);
    }
  }

  private static List<Long> references(Field field) {
    var ids = new ArrayList<Long>();
    if (field.getDictionary() != null) {
      ids.add(field.getDictionary().getId());
    }
    field.getChildren().forEach(child -> ids.addAll(references(child)));
    return ids;
  }

  private Lexicon lexicon(Dictionary dictionary) {
    Field field = dictionary.getVector().getField();
    return new Lexicon(dictionary, new PlainCopy(plain.plain(field).createVector(resolved)));
  }

  private static Schema schema(IpcMessage message) throws IOException {
    Message metadata = message.metadata();
    if (metadata.version() != MetadataVersion.V5 && metadata.version() != MetadataVersion.V4) {
      throw IpcException.unsupported("Arrow's format is taken in since its version 1.0 (V4, V5)");
    }
    if (metadata.headerType() != MessageHeader.Schema) {
      throw IpcException.malformed("it does not begin with a schema");
    }
    var described =
        (org.apache.arrow.flatbuf.Schema) metadata.header(new org.apache.arrow.flatbuf.Schema());
    SchemaCheck.require(described, message.header().remaining());
    if (described.endianness() != org.apache.arrow.flatbuf.Endianness.Little) {
      throw IpcException.unsupported("big-endian batches are not taken in");
    }
    Schema schema = ExtensionNames.withoutUnfit(MessageSerializer.deserializeSchema(metadata));
    boolean isV4 = metadata.version() == MetadataVersion.V4;
    schema.getFields().forEach(field -> requireKnown(field, isV4));
    return schema;
  }

  private static void requireKnown(Field field, boolean isV4) {
    switch (BatchStructure.storage(field.getType())) {
      case ArrowType.ListView _, ArrowType.LargeListView _ ->
          throw IpcException.unsupported(
              "column %s is a list view: send it as a list".formatted(field.getName()));
      case ArrowType.FixedSizeList list when list.getListSize() < 0 -> throw negativeLength(field);
      case ArrowType.FixedSizeBinary binary when binary.getByteWidth() < 0 ->
          throw negativeLength(field);
      case ArrowType.Decimal decimal when decimal.getBitWidth() < LEAST_DECIMAL_BITS ->
          throw IpcException.unsupported(
              "column %s is a decimal of %d bits: send it with 128"
                  .formatted(field.getName(), decimal.getBitWidth()));
      case ArrowType.Decimal decimal
          when PlainVectors.isOfNegativeScale(decimal)
              && (long) decimal.getPrecision() - decimal.getScale() > MAX_DECIMAL_DIGITS ->
          throw IpcException.unsupported(
              "column %s is a decimal of negative scale with more than %d digits"
                  .formatted(field.getName(), MAX_DECIMAL_DIGITS));
      case ArrowType.Union _ when isV4 ->
          throw IpcException.unsupported(
              "column %s is a union of an old form: send it with metadata version V5"
                  .formatted(field.getName()));
      default -> {
        // Anything that Java's Arrow has a vector for.
      }
    }
    field.getChildren().forEach(child -> requireKnown(child, isV4));
  }

  private static IpcException negativeLength(Field field) {
    return IpcException.malformed("column %s is of a negative length".formatted(field.getName()));
  }

  private interface Reading<T> {
    T read() throws IOException;
  }

  /** Flatbuffers say by any exception that they lead outside of themselves. */
  private static <T> T reading(Reading<T> reading) {
    try {
      return reading.read();
    } catch (IpcException e) {
      throw e;
    } catch (OutOfMemoryException | OversizedAllocationException e) {
      throw IpcException.tooLarge(
          "the columns of one batch take more than %d MB without their dictionaries, views and"
                  .formatted(MAX_RESOLVED_BYTES >> 20)
              + " runs: send fewer rows in a batch");
    } catch (IOException | RuntimeException | StackOverflowError e) {
      LOG.debug("a message of an upload cannot be decoded", e);
      throw IpcException.malformed("it cannot be decoded");
    }
  }

  @Override
  public void close() {
    try (resolved;
        sent;
        var _ = isPlain ? null : root) {
      for (Lexicon lexicon : dictionaries.values()) {
        lexicon.values.close();
        lexicon.dictionary.getVector().close();
      }
    }
  }
}
