package com.lokryn.ducklake.cache;

import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.OutOfMemoryException;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Copies a result while it is read. The engine's own buffers are larger than what is in them, by
 * thousands of times for a few rows; so what is kept is copied, and a result that grows too large
 * is given up. It is complete, and handed on, only when the stream has ended well.
 */
final class Recording implements BatchStream {
  private final BatchStream stream;
  private final BufferAllocator allocator;
  private final long maxBytes;
  private final BooleanSupplier isWhole;
  private final Consumer<KeptResult> onComplete;
  private final List<ArrowRecordBatch> copies = new ArrayList<>();
  private long bytes;
  private long nanos;
  private boolean givenUp;

  /**
   * @param bytes what the result takes besides its batches
   * @param maxBytes a larger result is not kept
   * @param nanos what it took to begin the stream
   * @param isWhole asked at the end: false when the stream was cut off
   */
  Recording(
      BatchStream stream,
      BufferAllocator allocator,
      long bytes,
      long maxBytes,
      long nanos,
      BooleanSupplier isWhole,
      Consumer<KeptResult> onComplete) {
    this.stream = stream;
    this.allocator = allocator;
    this.bytes = bytes;
    this.maxBytes = maxBytes;
    this.nanos = nanos;
    this.isWhole = isWhole;
    this.onComplete = onComplete;
  }

  @Override
  public Schema schema() {
    return stream.schema();
  }

  @Override
  public boolean next() throws EngineException {
    boolean wasExhausted = stream.isExhausted();
    long began = System.nanoTime();
    boolean loaded = stream.next();
    nanos += System.nanoTime() - began;
    if (loaded) {
      copy();
    }
    if (!wasExhausted && (!loaded || stream.isExhausted())) {
      complete();
    }
    return loaded;
  }

  private void copy() {
    if (givenUp) {
      return;
    }
    try (ArrowRecordBatch batch = new VectorUnloader(stream.root()).getRecordBatch()) {
      long size = batch.computeBodyLength() + overhead(batch);
      if (bytes + size > maxBytes) {
        giveUp();
      } else {
        bytes += size;
        copyOf(batch).ifPresentOrElse(copies::add, this::giveUp);
      }
    }
  }

  /** What the objects around the buffers take. */
  private static long overhead(ArrowRecordBatch batch) {
    return 512 + 256L * batch.getBuffers().size();
  }

  private Optional<ArrowRecordBatch> copyOf(ArrowRecordBatch batch) {
    var buffers = new ArrayList<ArrowBuf>(batch.getBuffers().size());
    try {
      for (ArrowBuf buffer : batch.getBuffers()) {
        ArrowBuf copy = allocator.buffer(buffer.readableBytes());
        buffers.add(copy);
        copy.setBytes(0, buffer, buffer.readerIndex(), buffer.readableBytes());
        copy.writerIndex(buffer.readableBytes());
      }
      return Optional.of(
          new ArrowRecordBatch(
              batch.getLength(),
              batch.getNodes(),
              buffers,
              batch.getBodyCompression(),
              batch.getVariadicBufferCounts(),
              true));
    } catch (OutOfMemoryException e) {
      return Optional.empty();
    } finally {
      // The batch holds them by now.
      buffers.forEach(ArrowBuf::close);
    }
  }

  private void complete() {
    if (!givenUp && isWhole.getAsBoolean()) {
      givenUp = true;
      onComplete.accept(new KeptResult(stream.schema(), copies, bytes, nanos));
      copies.clear();
    }
  }

  private void giveUp() {
    givenUp = true;
    copies.forEach(ArrowRecordBatch::close);
    copies.clear();
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
    giveUp();
    stream.close();
  }
}
