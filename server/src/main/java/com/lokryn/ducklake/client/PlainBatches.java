package com.lokryn.ducklake.client;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.BaseVariableWidthViewVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.compression.NoCompressionCodec;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/**
 * The batches of a reader with values in the place of indices into dictionaries, in nested columns
 * too: a file's dictionaries can change from batch to batch, and a table stores values anyway. All
 * other columns are handed on without a copy.
 */
final class PlainBatches implements AutoCloseable {
  private final ArrowReader reader;
  private final BufferAllocator allocator;
  private final VectorSchemaRoot root;
  private final VectorLoader loader;

  PlainBatches(ArrowReader reader, BufferAllocator allocator) throws IOException {
    this.reader = reader;
    this.allocator = allocator;
    this.root =
        VectorSchemaRoot.create(
            new Schema(plain(reader.getVectorSchemaRoot().getSchema().getFields())), allocator);
    this.loader = new VectorLoader(root);
  }

  /** The batch that was loaded last. */
  VectorSchemaRoot root() {
    return root;
  }

  /** Loads the next batch; false at the end. */
  boolean loadNext() throws IOException {
    if (!reader.loadNextBatch()) {
      return false;
    }
    try (var parts = new Parts()) {
      VectorSchemaRoot batch = reader.getVectorSchemaRoot();
      batch.getFieldVectors().forEach(parts::add);
      try (ArrowRecordBatch plain = parts.batch(batch.getRowCount())) {
        loader.load(plain);
      }
    }
    return true;
  }

  @Override
  public void close() {
    root.close();
  }

  private List<Field> plain(List<Field> fields) {
    return fields.stream().map(this::plain).toList();
  }

  private Field plain(Field field) {
    Field values =
        field.getDictionary() == null
            ? field
            : dictionary(field.getDictionary().getId()).getVector().getField();
    return new Field(
        field.getName(),
        new FieldType(field.isNullable(), values.getType(), null, field.getMetadata()),
        plain(values.getChildren()));
  }

  private Dictionary dictionary(long id) {
    @Nullable Dictionary dictionary = reader.lookup(id);
    if (dictionary == null) {
      throw new IllegalArgumentException("the dictionary %d is missing".formatted(id));
    }
    return dictionary;
  }

  /** What a record batch is made of: the vectors, depth first, as their buffers. */
  private final class Parts implements AutoCloseable {
    private final List<ArrowFieldNode> nodes = new ArrayList<>();
    private final List<ArrowBuf> buffers = new ArrayList<>();
    private final List<Long> variadicBuffers = new ArrayList<>();
    private final List<FieldVector> decoded = new ArrayList<>();

    void add(FieldVector given) {
      FieldVector vector = given;
      if (given.getField().getDictionary() != null) {
        vector = decode(given, dictionary(given.getField().getDictionary().getId()).getVector());
      }
      nodes.add(new ArrowFieldNode(vector.getValueCount(), vector.getNullCount()));
      buffers.addAll(vector.getFieldBuffers());
      if (vector instanceof BaseVariableWidthViewVector view) {
        variadicBuffers.add((long) view.getDataBuffers().size());
      }
      vector.getChildrenFromFields().forEach(this::add);
    }

    /** Arrow's own decoder lets indices pass that are outside of the dictionary. */
    private FieldVector decode(FieldVector indices, FieldVector values) {
      var transfer = values.getTransferPair(allocator);
      var result = (FieldVector) transfer.getTo();
      decoded.add(result);
      result.setInitialCapacity(indices.getValueCount());
      result.allocateNew();
      for (int row = 0; row < indices.getValueCount(); row++) {
        if (!indices.isNull(row)) {
          long index = ((BaseIntVector) indices).getValueAsLong(row);
          if (index < 0 || index >= values.getValueCount()) {
            throw new IllegalArgumentException(
                "the column %s has the index %d, and its dictionary %d values"
                    .formatted(indices.getName(), index, values.getValueCount()));
          }
          transfer.copyValueSafe((int) index, row);
        }
      }
      result.setValueCount(indices.getValueCount());
      return result;
    }

    ArrowRecordBatch batch(int rows) {
      return new ArrowRecordBatch(
          rows,
          nodes,
          buffers,
          NoCompressionCodec.DEFAULT_BODY_COMPRESSION,
          variadicBuffers,
          /* alignBuffers= */ true);
    }

    @Override
    public void close() {
      decoded.forEach(FieldVector::close);
    }
  }
}
