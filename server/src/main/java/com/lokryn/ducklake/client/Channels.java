package com.lokryn.ducklake.client;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;

/** Opens connections. */
final class Channels {
  /** A server's error text comes with the metadata. */
  private static final int MAX_METADATA_BYTES = 1 << 20;

  private Channels() {}

  static ManagedChannel open(ServerUrl url, ClientTls tls) {
    var builder = NettyChannelBuilder.forAddress(url.host(), url.port());
    if (url.tls()) {
      builder.sslContext(tls.context());
    } else {
      builder.usePlaintext();
    }
    return builder
        // Arrow's own client does so too.
        .maxTraceEvents(0)
        // One row may be larger than any usual limit of a message.
        .maxInboundMessageSize(Integer.MAX_VALUE)
        .maxInboundMetadataSize(MAX_METADATA_BYTES)
        .build();
  }
}
