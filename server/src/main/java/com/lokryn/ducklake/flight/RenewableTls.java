package com.lokryn.ducklake.flight;

import com.lokryn.ducklake.auth.TlsMaterial;
import io.grpc.netty.GrpcSslContexts;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolNegotiator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSessionContext;

/**
 * TLS whose certificates can be replaced: new connections use the new ones. It replaces the whole
 * context rather than the key inside of one, as gRPC's AdvancedTlsX509KeyManager does: certificate
 * and authorities change at the same time, and no client comes in again by a session that it began
 * with those before.
 */
final class RenewableTls extends SslContext {
  private volatile SslContext current;

  RenewableTls(TlsMaterial material) throws SSLException {
    current = context(material);
  }

  void use(TlsMaterial material) throws SSLException {
    current = context(material);
  }

  /** The provider of the JDK: the native one would unpack a library at each start. */
  private static SslContext context(TlsMaterial material) throws SSLException {
    var builder =
        SslContextBuilder.forServer(
                material.key(), material.chain().toArray(X509Certificate[]::new))
            .protocols("TLSv1.3", "TLSv1.2");
    if (!material.clientAuthorities().isEmpty()) {
      builder
          .trustManager(material.clientAuthorities().toArray(X509Certificate[]::new))
          .clientAuth(ClientAuth.REQUIRE);
    }
    return GrpcSslContexts.configure(builder, SslProvider.JDK).build();
  }

  @Override
  public boolean isClient() {
    return false;
  }

  @Override
  public List<String> cipherSuites() {
    return current.cipherSuites();
  }

  @Override
  @SuppressWarnings("deprecation") // Netty's own classes have no other way.
  public ApplicationProtocolNegotiator applicationProtocolNegotiator() {
    return current.applicationProtocolNegotiator();
  }

  @Override
  public SSLEngine newEngine(ByteBufAllocator allocator) {
    return current.newEngine(allocator);
  }

  @Override
  public SSLEngine newEngine(ByteBufAllocator allocator, String host, int port) {
    return current.newEngine(allocator, host, port);
  }

  @Override
  public SSLSessionContext sessionContext() {
    return current.sessionContext();
  }
}
