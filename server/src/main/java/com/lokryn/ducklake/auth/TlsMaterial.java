package com.lokryn.ducklake.auth;

import java.security.PrivateKey;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What TLS on the Flight port needs, as {@link TlsFiles} found it: it fits together.
 *
 * @param chain the server's certificate, then each one's issuer
 * @param clientAuthorities who signs the certificates of clients; empty where clients need none
 */
public record TlsMaterial(
    List<X509Certificate> chain, PrivateKey key, List<X509Certificate> clientAuthorities) {
  private static final int DNS_NAME = 2;
  private static final int IP_ADDRESS = 7;

  public TlsMaterial {
    chain = List.copyOf(chain);
    clientAuthorities = List.copyOf(clientAuthorities);
  }

  /** When the first certificate of the chain ends. */
  public Instant endsAt() {
    return chain.stream()
        .map(certificate -> certificate.getNotAfter().toInstant())
        .min(Comparator.naturalOrder())
        .orElseThrow();
  }

  /** For how long the server's own certificate was made. */
  Duration lifetime() {
    X509Certificate own = chain.getFirst();
    return Duration.between(own.getNotBefore().toInstant(), own.getNotAfter().toInstant());
  }

  /** What an operator wants to know of it. */
  public String sentence() {
    String names = names().isEmpty() ? "no name" : String.join(", ", names());
    String sentence =
        "%s for %s, valid until %s".formatted(subject(chain.getFirst()), names, endsAt());
    return clientAuthorities.isEmpty()
        ? sentence
        : sentence
            + "; clients need a certificate of "
            + clientAuthorities.stream()
                .map(TlsMaterial::subject)
                .collect(Collectors.joining(" or "));
  }

  /** The hosts and addresses that the server's certificate is for. */
  List<String> names() {
    try {
      Collection<List<?>> names = chain.getFirst().getSubjectAlternativeNames();
      return names == null ? List.of() : names.stream().flatMap(TlsMaterial::name).toList();
    } catch (CertificateParsingException e) {
      return List.of();
    }
  }

  private static Stream<String> name(List<?> typeAndName) {
    return typeAndName.getFirst() instanceof Integer type
            && (type == DNS_NAME || type == IP_ADDRESS)
        ? Stream.of(String.valueOf(typeAndName.getLast()))
        : Stream.empty();
  }

  private static String subject(X509Certificate certificate) {
    String name = certificate.getSubjectX500Principal().getName();
    return name.isEmpty() ? "a certificate without a subject" : name;
  }

  @Override
  public String toString() {
    return sentence();
  }
}
