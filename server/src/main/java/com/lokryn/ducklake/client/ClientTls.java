package com.lokryn.ducklake.client;

import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a client speaks TLS, with a server that does.
 *
 * @param trust whose certificates it takes
 * @param identity what it shows itself, if anything
 */
public record ClientTls(Trust trust, Optional<Identity> identity) {
  /** As the system does, and without a certificate. */
  public static final ClientTls USUAL = new ClientTls(new SystemAuthorities(), Optional.empty());

  /** Which servers are taken for what they say they are. */
  public sealed interface Trust {}

  /** Those of the authorities that the Java virtual machine knows. */
  public record SystemAuthorities() implements Trust {}

  /** Those of the authorities in a PEM file. */
  public record Authorities(Path file) implements Trust {}

  /** All: whoever is in between reads everything. */
  public record Anyone() implements Trust {}

  /** PEM files of a client's certificate and its key, in PKCS#8. */
  public record Identity(Path certificate, Path key) {}

  /**
   * What gRPC needs of it.
   *
   * @throws IllegalArgumentException with a sentence about a file that cannot be used
   */
  SslContext context() {
    var builder = SslContextBuilder.forClient();
    switch (trust) {
      case SystemAuthorities() -> {}
      case Authorities(Path file) ->
          parsed(readable(file), null, () -> builder.trustManager(file.toFile()));
      case Anyone() -> builder.trustManager(InsecureTrustManagerFactory.INSTANCE);
    }
    identity.ifPresent(
        own ->
            parsed(
                readable(own.certificate),
                readable(own.key),
                () -> builder.keyManager(own.certificate.toFile(), own.key.toFile())));
    try {
      return GrpcSslContexts.configure(builder, SslProvider.JDK).build();
    } catch (IOException e) {
      throw new IllegalArgumentException("TLS cannot be used: " + e.getMessage(), e);
    }
  }

  private static Path readable(Path file) {
    if (!Files.isReadable(file) || Files.isDirectory(file)) {
      throw new IllegalArgumentException("%s cannot be read".formatted(file));
    }
    return file;
  }

  private static void parsed(Path certificates, @Nullable Path key, Runnable use) {
    try {
      use.run();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          key == null
              ? "%s is no PEM file of certificates".formatted(certificates)
              : "%s and %s are no PEM files of a certificate and its key in PKCS#8"
                  .formatted(certificates, key),
          e);
    }
  }
}
