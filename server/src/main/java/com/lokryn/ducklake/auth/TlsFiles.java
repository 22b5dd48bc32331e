package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The files that the settings of TLS name.
 *
 * @param clientCa null where clients need no certificate
 */
public record TlsFiles(Path certificate, Path privateKey, @Nullable Path clientCa) {
  private static final String SERVER_USE = "1.3.6.1.5.5.7.3.1";
  private static final String ANY_USE = "2.5.29.37.0";

  /** The files of a server; empty where it speaks no TLS. */
  public static Optional<TlsFiles> of(ServerConfig config) {
    return config
        .find(Settings.FLIGHT_TLS_CERTIFICATE)
        .map(
            certificate ->
                new TlsFiles(
                    certificate,
                    config.get(Settings.FLIGHT_TLS_PRIVATE_KEY),
                    config.find(Settings.FLIGHT_TLS_CLIENT_CA).orElse(null)));
  }

  /**
   * Reads the files and looks whether they can be used together.
   *
   * @param now when the certificates have to be valid
   * @throws StartException with the setting to change
   */
  public TlsMaterial load(Instant now) throws StartException {
    return read().material(now);
  }

  Contents read() throws StartException {
    return new Contents(
        PemFile.read(Settings.FLIGHT_TLS_CERTIFICATE, certificate),
        PemFile.read(Settings.FLIGHT_TLS_PRIVATE_KEY, privateKey),
        clientCa == null ? null : PemFile.read(Settings.FLIGHT_TLS_CLIENT_CA, clientCa));
  }

  /** What was in them at one time. */
  record Contents(PemFile certificate, PemFile privateKey, @Nullable PemFile clientCa) {
    TlsMaterial material(Instant now) throws StartException {
      List<X509Certificate> chain = certificate.certificates();
      PrivateKey key = privateKey.privateKey();
      checkKey(chain, key);
      checkOrder(chain);
      for (X509Certificate one : chain) {
        checkTime(one, now);
      }
      checkUse(chain.getFirst());
      return new TlsMaterial(chain, key, clientCa == null ? List.of() : authorities(clientCa, now));
    }

    private void checkKey(List<X509Certificate> chain, PrivateKey key) throws StartException {
      if (isPair(chain.getFirst().getPublicKey(), key)) {
        return;
      }
      for (X509Certificate other : chain) {
        if (isPair(other.getPublicKey(), key)) {
          throw outOfOrder("does not begin with the certificate of flight_tls_private_key");
        }
      }
      throw privateKey.problem(
          "does not belong to the certificate in " + certificate.path(),
          privateKey.set("the key that the certificate was made with"));
    }

    private void checkOrder(List<X509Certificate> chain) throws StartException {
      for (int i = 1; i < chain.size(); i++) {
        try {
          chain.get(i - 1).verify(chain.get(i).getPublicKey());
        } catch (GeneralSecurityException e) {
          throw outOfOrder(
              "has a certificate %d that did not sign the one before it".formatted(i + 1));
        }
      }
    }

    private StartException outOfOrder(String what) {
      return certificate.problem(
          what, "put the server's certificate first in it, and after each one its issuer's");
    }

    private void checkTime(X509Certificate one, Instant now) throws StartException {
      String name = one.getSubjectX500Principal().getName();
      if (now.isBefore(one.getNotBefore().toInstant())) {
        throw certificate.problem(
            "is not valid yet: %s begins at %s".formatted(name, one.getNotBefore().toInstant()),
            certificate.set("one that is valid now, and look at the machine's clock"));
      }
      if (!now.isBefore(one.getNotAfter().toInstant())) {
        throw certificate.problem(
            "has expired: %s ended at %s".formatted(name, one.getNotAfter().toInstant()),
            certificate.set("a new certificate"));
      }
    }

    private void checkUse(X509Certificate own) throws StartException {
      List<String> uses;
      try {
        uses = own.getExtendedKeyUsage();
      } catch (CertificateParsingException e) {
        uses = List.of();
      }
      if (uses != null && !uses.contains(SERVER_USE) && !uses.contains(ANY_USE)) {
        throw certificate.problem(
            "has a certificate that is not made for servers, and no client would take it",
            certificate.set("one with the extended key usage serverAuth"));
      }
    }

    /** Bundles keep certificates that have ended; one that is valid has to be there. */
    private static List<X509Certificate> authorities(PemFile file, Instant now)
        throws StartException {
      List<X509Certificate> valid =
          file.certificates().stream()
              .filter(one -> now.isBefore(one.getNotAfter().toInstant()))
              .toList();
      if (valid.isEmpty()) {
        throw file.problem("has expired certificates only", file.set("those of a valid authority"));
      }
      return valid;
    }

    private static boolean isPair(PublicKey open, PrivateKey secret) {
      String algorithm =
          switch (open.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            default -> open.getAlgorithm();
          };
      byte[] text = {1, 2, 3};
      try {
        var signature = Signature.getInstance(algorithm);
        signature.initSign(secret);
        signature.update(text);
        byte[] signed = signature.sign();
        signature.initVerify(open);
        signature.update(text);
        return signature.verify(signed);
      } catch (GeneralSecurityException e) {
        return false;
      }
    }
  }
}
