package com.lokryn.ducklake.flight;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import org.apache.arrow.vector.ipc.WriteChannel;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.Schema;

/** A schema as an encapsulated IPC message: the form of FlightInfo, GetSchema and GetTables. */
final class SchemaBytes {
  private SchemaBytes() {}

  static ByteString of(Schema schema) {
    return ByteString.copyFrom(array(schema));
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
