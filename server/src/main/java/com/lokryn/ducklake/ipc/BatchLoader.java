package com.lokryn.ducklake.ipc;

import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.flatbuf.Buffer;
import org.apache.arrow.flatbuf.FieldNode;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.TypeLayout;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;

/**
 * Puts the buffers of a record batch into vectors. Arrow's own loader sets the number of rows
 * before anyone can look at the offsets, and so makes a list's child as long as they say.
 */
final class BatchLoader {
  private final RecordBatch batch;
  private final ArrowBuf body;
  private int node;
  private int buffer;
  private int variadic;

  private BatchLoader(RecordBatch batch, ArrowBuf body) {
    this.batch = batch;
    this.body = body;
  }

  /** Checks the batch and shows it in the vectors, which share the memory of the body. */
  static void load(RecordBatch batch, ArrowBuf body, VectorSchemaRoot target) {
    BatchStructure.require(batch, target.getSchema().getFields(), body.capacity());
    var loader = new BatchLoader(batch, body);
    for (FieldVector vector : target.getFieldVectors()) {
      loader.load(vector);
    }
    target.getFieldVectors().forEach(BatchValues::require);
    target.setRowCount(Math.toIntExact(batch.length()));
  }

  private void load(FieldVector vector) {
    FieldNode own = batch.nodes(node++);
    var type = BatchStructure.storage(vector.getField().getType());
    int count = TypeLayout.getTypeBufferCount(type);
    if (BatchStructure.isView(type)) {
      count += Math.toIntExact(batch.variadicBufferCounts(variadic++));
    }
    List<ArrowBuf> slices = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      Buffer described = batch.buffers(buffer++);
      slices.add(body.slice(described.offset(), described.length()));
    }
    // The vector takes references of its own.
    vector.loadFieldBuffers(new ArrowFieldNode(own.length(), own.nullCount()), slices);
    vector.getChildrenFromFields().forEach(this::load);
  }
}
