package com.lokryn.ducklake.flight;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.arrow.vector.ipc.WriteChannel;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Schemas as encapsulated IPC messages: the form of FlightInfo, GetSchema and GetTables.
 * Thread-safe.
 */
final class SchemaBytes {
  /** Statements come again and again, and with them their schemas. */
  private static final int MAX_KEPT = 512;

  private final Map<Schema, ByteString> kept = new ConcurrentHashMap<>();

  ByteString of(Schema schema) {
    ByteString bytes = kept.get(schema);
    if (bytes == null) {
      bytes = ByteString.copyFrom(array(schema));
      if (kept.size() < MAX_KEPT) {
        kept.put(schema, bytes);
      }
    }
    return bytes;
  }

  static byte[] array(Schema schema) {
    var bytes = new ByteArrayOutputStream();
    try (var channel = new WriteChannel(Channels.newChannel(bytes))) {
      MessageSerializer.serialize(channel, schema);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
