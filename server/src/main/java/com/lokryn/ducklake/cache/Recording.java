package com.lokryn.ducklake.cache;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Holds the batches of a result while it is read, and copies them when the stream has ended well:
 * the engine's own buffers are larger than what is in them, by thousands of times for a few rows. A
 * result for which there is no room is given up before anything of it was copied.
 */
final class Recording implements BatchStream {
  /** A result that is complete. */
  interface Complete {
    void keep(List<ArrowRecordBatch> batches, long bytes, long costNanos);
  }

  private final BatchStream stream;
  private final BufferAllocator allocator;
  private final Quota quota;
  private final BooleanSupplier isWhole;
  private final Complete complete;
  private final List<ArrowRecordBatch> held = new ArrayList<>();
  private long bytes;
  private long nanos;

  /** Handed on, or given up. */
  private boolean over;

  /**
   * @param quota for what is recorded, of all recordings together
   * @param nanos what it took to begin the stream
   * @param isWhole asked at the end: false when the stream was cut off
   * @param complete owns the batches from there on
   */
  Recording(
      BatchStream stream,
      BufferAllocator allocator,
      Quota quota,
      long nanos,
      BooleanSupplier isWhole,
      Complete complete) {
    this.stream = stream;
    this.allocator = allocator;
    this.quota = quota;
    this.nanos = nanos;
    this.isWhole = isWhole;
    this.complete = complete;
  }

  @Override
  public Schema schema() {
    return stream.schema();
  }

  @Override
  public boolean next() throws EngineException {
    long began = System.nanoTime();
    boolean loaded = stream.next();
    nanos += System.nanoTime() - began;
    if (loaded && !over) {
      hold();
    }
    if (!over && (!loaded || stream.isExhausted()) && isWhole.getAsBoolean()) {
      copy();
      end();
    }
    return loaded;
  }

  private void hold() {
    ArrowRecordBatch batch = new VectorUnloader(stream.root()).getRecordBatch();
    held.add(batch);
    long size = allocated(batch) + overhead(batch);
    if (quota.take(size)) {
      bytes += size;
    } else {
      end();
    }
  }

  private void copy() {
    var copies = new ArrayList<ArrowRecordBatch>(held.size());
    try {
      for (ArrowRecordBatch batch : held) {
        copies.add(copyOf(batch));
      }
      complete.keep(copies, bytes, nanos);
    } catch (OutOfMemoryException e) {
      copies.forEach(ArrowRecordBatch::close);
    }
  }

  /** What the copies of its buffers take, which is more than what is in them. */
  private long allocated(ArrowRecordBatch batch) {
    return batch.getBuffers().stream()
        .mapToLong(buffer -> allocator.getRoundingPolicy().getRoundedSize(buffer.readableBytes()))
        .sum();
  }

  /** What the objects around the buffers take. */
  private static long overhead(ArrowRecordBatch batch) {
    return 512 + 256L * batch.getBuffers().size();
  }

  private ArrowRecordBatch copyOf(ArrowRecordBatch batch) {
    var buffers = new ArrayList<ArrowBuf>(batch.getBuffers().size());
    try {
      for (ArrowBuf buffer : batch.getBuffers()) {
        ArrowBuf copy = allocator.buffer(buffer.readableBytes());
        buffers.add(copy);
        copy.setBytes(0, buffer, buffer.readerIndex(), buffer.readableBytes());
        copy.writerIndex(buffer.readableBytes());
      }
      return new ArrowRecordBatch(
          batch.getLength(),
          batch.getNodes(),
          buffers,
          batch.getBodyCompression(),
          batch.getVariadicBufferCounts(),
          true);
    } finally {
      // The batch holds them by now.
      buffers.forEach(ArrowBuf::close);
    }
  }

  private void end() {
    over = true;
    held.forEach(ArrowRecordBatch::close);
    held.clear();
    quota.giveBack(bytes);
    bytes = 0;
  }

  @Override
  public boolean isExhausted() {
    return stream.isExhausted();
  }

  @Override
  public VectorSchemaRoot root() {
    return stream.root();
  }

  @Override
  public DictionaryProvider dictionaries() {
    return stream.dictionaries();
  }

  @Override
  public void close() throws EngineException {
    end();
    stream.close();
  }
}
