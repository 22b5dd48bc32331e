package com.lokryn.ducklake.flight;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.grpc.Drainable;
import io.grpc.MethodDescriptor;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.arrow.flight.grpc.AddWritableBuffer;
import org.apache.arrow.flight.impl.Flight.FlightData;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.ipc.message.ArrowDictionaryBatch;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.ipc.message.IpcOption;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * A FlightData on its way out: the metadata of an IPC message and the buffers that are its body.
 * The buffers go to the socket as they are. Arrow's own message puts its header into a heap buffer
 * between them, for which Netty then copies all of it: a quarter of our Java time on large results.
 *
 * <p>It holds the buffers from its creation until the transport has written them.
 */
final class WireMessage {
  /** IPC bodies are laid out in steps of 8 bytes. */
  private static final int ALIGNMENT = 8;

  /** The continuation marker and the length. */
  private static final int MARKS = 8;

  private final ByteBuffer metadata;
  private final List<ArrowBuf> body;
  private final Runnable onWritten;

  private WireMessage(ByteBuffer metadata, List<ArrowBuf> body, Runnable onWritten) {
    this.metadata = metadata;
    this.body = body;
    this.onWritten = onWritten;
    body.forEach(buffer -> buffer.getReferenceManager().retain());
  }

  static WireMessage schema(Schema schema) {
    return new WireMessage(
        MessageSerializer.serializeMetadata(schema, IpcOption.DEFAULT), List.of(), () -> {});
  }

  /**
   * @param encapsulated a schema with the marks of a stream's message before it
   */
  static WireMessage schema(ByteString encapsulated) {
    return new WireMessage(
        encapsulated.substring(MARKS).asReadOnlyByteBuffer(), List.of(), () -> {});
  }

  /**
   * @param onWritten called once, when the transport has written it or has given it up
   */
  static WireMessage batch(ArrowRecordBatch batch, Runnable onWritten) {
    return new WireMessage(
        MessageSerializer.serializeMetadata(batch, IpcOption.DEFAULT),
        batch.getBuffers(),
        onWritten);
  }

  static WireMessage dictionary(ArrowDictionaryBatch batch) {
    return new WireMessage(
        MessageSerializer.serializeMetadata(batch, IpcOption.DEFAULT),
        batch.getDictionary().getBuffers(),
        () -> {});
  }

  /** How gRPC gets the bytes; each message is sent once. */
  static MethodDescriptor.Marshaller<WireMessage> marshaller() {
    return new MethodDescriptor.Marshaller<>() {
      @Override
      public InputStream stream(WireMessage message) {
        return new Bytes(message.encode());
      }

      @Override
      public WireMessage parse(InputStream stream) {
        throw new UnsupportedOperationException("clients send no batches here");
      }
    };
  }

  /** The protobuf message; it owns what this message held. */
  private ByteBuf encode() {
    var parts = new OwningBuffer(body, onWritten);
    byte[] header = header(bodyBytes());
    parts.addComponent(
        true, UnpooledByteBufAllocator.DEFAULT.directBuffer(header.length).writeBytes(header));
    for (ArrowBuf buffer : body) {
      int bytes = (int) buffer.readableBytes();
      if (bytes > 0) {
        parts.addComponent(true, Unpooled.wrappedBuffer(buffer.nioBuffer()));
      }
      if (padding(bytes) > 0) {
        parts.addComponent(
            true,
            UnpooledByteBufAllocator.DEFAULT
                .directBuffer(padding(bytes))
                .writeZero(padding(bytes)));
      }
    }
    return parts;
  }

  private long bodyBytes() {
    long bytes = 0;
    for (ArrowBuf buffer : body) {
      bytes += buffer.readableBytes() + padding(buffer.readableBytes());
    }
    return bytes;
  }

  private static int padding(long bytes) {
    return (int) (-bytes & (ALIGNMENT - 1));
  }

  /** The fields of FlightData up to the body's own bytes. */
  private byte[] header(long bodyBytes) {
    boolean hasBody = !body.isEmpty();
    int metadataBytes = metadata.remaining();
    int size =
        CodedOutputStream.computeTagSize(FlightData.DATA_HEADER_FIELD_NUMBER)
            + CodedOutputStream.computeUInt32SizeNoTag(metadataBytes)
            + metadataBytes
            + (hasBody
                ? CodedOutputStream.computeTagSize(FlightData.DATA_BODY_FIELD_NUMBER)
                    + CodedOutputStream.computeUInt64SizeNoTag(bodyBytes)
                : 0);
    byte[] bytes = new byte[size];
    var out = CodedOutputStream.newInstance(bytes);
    try {
      out.writeTag(FlightData.DATA_HEADER_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
      out.writeUInt32NoTag(metadataBytes);
      out.write(metadata.duplicate());
      if (hasBody) {
        out.writeTag(FlightData.DATA_BODY_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
        out.writeUInt64NoTag(bodyBytes);
      }
      out.checkNoSpaceLeft();
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The parts of a message, which releases the Arrow buffers among them when Netty is done. */
  private static final class OwningBuffer extends CompositeByteBuf {
    private final List<ArrowBuf> owned;
    private final Runnable onReleased;

    OwningBuffer(List<ArrowBuf> owned, Runnable onReleased) {
      // Netty merges the components of a composite with a limit, by copying them.
      super(UnpooledByteBufAllocator.DEFAULT, true, Integer.MAX_VALUE);
      this.owned = owned;
      this.onReleased = onReleased;
    }

    @Override
    protected void deallocate() {
      super.deallocate();
      owned.forEach(buffer -> buffer.getReferenceManager().release());
      onReleased.run();
    }
  }

  /** Hands the buffer itself to gRPC, which asks for a stream. */
  private static final class Bytes extends ByteBufInputStream implements Drainable {
    private final ByteBuf buffer;

    Bytes(ByteBuf buffer) {
      super(buffer, buffer.readableBytes(), true);
      this.buffer = buffer;
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      int bytes = buffer.readableBytes();
      AddWritableBuffer.add(buffer, target, true);
      return bytes;
    }
  }
}
