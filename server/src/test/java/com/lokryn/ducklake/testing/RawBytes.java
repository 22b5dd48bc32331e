package com.lokryn.ducklake.testing;

import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** Messages of gRPC as the bytes that they are sent as. */
public final class RawBytes implements MethodDescriptor.Marshaller<byte[]> {
  /** Any method by its full name, whatever streams it has. */
  public static MethodDescriptor<byte[], byte[]> method(String fullName) {
    return MethodDescriptor.newBuilder(new RawBytes(), new RawBytes())
        .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
        .setFullMethodName(fullName)
        .build();
  }

  private RawBytes() {}

  @Override
  public InputStream stream(byte[] value) {
    return new ByteArrayInputStream(value);
  }

  @Override
  public byte[] parse(InputStream stream) {
    try {
      return stream.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
