package com.lokryn.ducklake.ipc;

import java.nio.ByteBuffer;
import org.apache.arrow.flatbuf.Field;
import org.apache.arrow.flatbuf.KeyValue;
import org.apache.arrow.flatbuf.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Looks through a schema before it is made into objects. A flatbuffer of some kilobytes can refer
 * to the same part of itself any number of times, and so stand for a schema that fills the memory.
 */
final class SchemaCheck {
  private static final int MAX_DEPTH = 64;
  private static final int MAX_FIELDS = 20_000;

  /** What was written once per reference cannot be longer than the whole. */
  private final long maxTextBytes;

  private int fields;
  private long textBytes;

  private SchemaCheck(long maxTextBytes) {
    this.maxTextBytes = maxTextBytes;
  }

  static void require(Schema schema, int headerBytes) {
    var check = new SchemaCheck(headerBytes);
    for (int i = 0; i < schema.customMetadataLength(); i++) {
      check.metadata(schema.customMetadata(i));
    }
    for (int i = 0; i < schema.fieldsLength(); i++) {
      check.field(schema.fields(i), 1);
    }
  }

  private void field(Field field, int depth) {
    fields++;
    if (fields > MAX_FIELDS) {
      throw IpcException.tooLarge("the schema has more than %d fields".formatted(MAX_FIELDS));
    }
    if (depth > MAX_DEPTH) {
      throw IpcException.tooLarge("the schema is nested deeper than %d".formatted(MAX_DEPTH));
    }
    text(field.nameAsByteBuffer());
    for (int i = 0; i < field.customMetadataLength(); i++) {
      metadata(field.customMetadata(i));
    }
    for (int i = 0; i < field.childrenLength(); i++) {
      field(field.children(i), depth + 1);
    }
  }

  private void metadata(KeyValue entry) {
    text(entry.keyAsByteBuffer());
    text(entry.valueAsByteBuffer());
  }

  private void text(@Nullable ByteBuffer bytes) {
    textBytes += bytes == null ? 0 : bytes.remaining();
    if (textBytes > maxTextBytes) {
      throw IpcException.malformed("its schema is longer than its message");
    }
  }
}
