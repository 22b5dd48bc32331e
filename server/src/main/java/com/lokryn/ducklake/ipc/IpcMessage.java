package com.lokryn.ducklake.ipc;

import java.nio.ByteBuffer;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.memory.ArrowBuf;

/**
 * One message as it came: the flatbuffer that describes it, and the bytes of its buffers.
 *
 * @param header empty where the message carries no Arrow data
 * @param body owned by this message; {@link #close} releases it
 */
public record IpcMessage(ByteBuffer header, ArrowBuf body) implements AutoCloseable {
  boolean isEmpty() {
    return !header.hasRemaining();
  }

  Message metadata() {
    return Message.getRootAsMessage(header);
  }

  @Override
  public void close() {
    body.close();
  }
}
