package com.lokryn.ducklake.flight;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import com.lokryn.ducklake.ipc.IpcMessage;
import io.grpc.HasByteBuffer;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.apache.arrow.flight.impl.Flight.FlightData;
import org.apache.arrow.flight.impl.Flight.FlightDescriptor;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;

/**
 * A FlightData message of a client, whose body is read from the transport straight into Arrow's
 * memory. Arrow's own reader makes arrays of whatever length a message says that it has.
 *
 * @param descriptor what the upload is, in its first message
 * @param isMalformed true when the message is no FlightData; it is then empty
 */
record UploadMessage(
    Optional<FlightDescriptor> descriptor, IpcMessage content, boolean isMalformed) {
  /** Descriptions of batches are short, and are copied to the heap. */
  private static final int MAX_HEADER_BYTES = 4 << 20;

  private static final int CHUNK_BYTES = 64 << 10;

  /** How gRPC makes messages of bytes; none are sent. */
  static MethodDescriptor.Marshaller<UploadMessage> marshaller(BufferAllocator allocator) {
    return new MethodDescriptor.Marshaller<>() {
      @Override
      public InputStream stream(UploadMessage message) {
        throw new UnsupportedOperationException("uploads come from clients only");
      }

      @Override
      public UploadMessage parse(InputStream stream) {
        try {
          return read(stream, allocator);
        } catch (IOException e) {
          // What is thrown here reaches the client as a fault of the server's.
          var nothing = new IpcMessage(ByteBuffer.allocate(0), allocator.getEmpty());
          return new UploadMessage(Optional.empty(), nothing, true);
        }
      }
    };
  }

  private static UploadMessage read(InputStream stream, BufferAllocator allocator)
      throws IOException {
    Optional<FlightDescriptor> descriptor = Optional.empty();
    ByteBuffer header = ByteBuffer.allocate(0);
    ArrowBuf body = allocator.getEmpty();
    try {
      for (int first = stream.read(); first >= 0; first = stream.read()) {
        int tag = CodedInputStream.readRawVarint32(first, stream);
        if (WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_LENGTH_DELIMITED) {
          throw new InvalidProtocolBufferException("no field of FlightData");
        }
        int length = length(stream);
        switch (WireFormat.getTagFieldNumber(tag)) {
          case FlightData.FLIGHT_DESCRIPTOR_FIELD_NUMBER ->
              descriptor = Optional.of(FlightDescriptor.parseFrom(small(stream, length)));
          case FlightData.DATA_HEADER_FIELD_NUMBER ->
              header = small(stream, length).asReadOnlyByteBuffer();
          case FlightData.DATA_BODY_FIELD_NUMBER -> {
            body.close();
            body = allocator.buffer(length);
            fill(body, length, stream);
          }
          default -> stream.skipNBytes(length);
        }
      }
      return new UploadMessage(descriptor, new IpcMessage(header, body), false);
    } catch (IOException | RuntimeException e) {
      body.close();
      throw e;
    }
  }

  /** The length of a field, which cannot be longer than the rest of its message. */
  private static int length(InputStream stream) throws IOException {
    int length = CodedInputStream.readRawVarint32(stream.read(), stream);
    // A compressed message does not know how much of it is left.
    int most =
        stream instanceof KnownLength ? stream.available() : FlightEndpoint.MAX_INBOUND_BYTES;
    if (length < 0 || length > most) {
      throw new InvalidProtocolBufferException("a field longer than its message");
    }
    return length;
  }

  private static ByteString small(InputStream stream, int length) throws IOException {
    if (length > MAX_HEADER_BYTES) {
      throw new InvalidProtocolBufferException("a header that is too long");
    }
    return ByteString.copyFrom(stream.readNBytes(length));
  }

  private static void fill(ArrowBuf target, int length, InputStream stream) throws IOException {
    ByteBuffer memory = target.nioBuffer(0, length);
    if (stream instanceof HasByteBuffer direct && direct.byteBufferSupported()) {
      while (memory.hasRemaining()) {
        ByteBuffer part = direct.getByteBuffer();
        if (part == null || !part.hasRemaining()) {
          throw new InvalidProtocolBufferException("the message ends early");
        }
        ByteBuffer some =
            part.slice(part.position(), Math.min(part.remaining(), memory.remaining()));
        memory.put(some);
        stream.skipNBytes(some.limit());
      }
    } else {
      byte[] chunk = new byte[Math.min(length, CHUNK_BYTES)];
      while (memory.hasRemaining()) {
        int read = stream.read(chunk, 0, Math.min(chunk.length, memory.remaining()));
        if (read < 0) {
          throw new InvalidProtocolBufferException("the message ends early");
        }
        memory.put(chunk, 0, read);
      }
    }
    target.writerIndex(length);
  }
}
