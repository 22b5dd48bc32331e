package com.lokryn.ducklake.testing;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Certificates for localhost and 127.0.0.1, their authorities, and the files that hold them. */
public final class TestingCertificates {
  /** From when to when. */
  public record Span(Instant from, Instant until) {
    /** Ends in so many days. */
    public static Span days(int days) {
      Instant now = Instant.now();
      return new Span(now.minus(Duration.ofDays(90)), now.plus(Duration.ofDays(days)));
    }
  }

  /** A certificate with its key. */
  public record Issued(X509Certificate certificate, KeyPair keys) {
    /** Its key in PKCS#8. */
    public String keyPem() {
      return TestingCertificates.pem("PRIVATE KEY", keys.getPrivate().getEncoded());
    }

    public String pem() {
      return certificates(List.of(this));
    }

    /** Writes certificate and key where a server looks for them. */
    public void writeTo(Path certificate, Path key) throws IOException {
      write(certificate, pem());
      write(key, keyPem());
    }
  }

  private TestingCertificates() {}

  public static Issued authority(String name) {
    KeyPair keys = keys("EC");
    return sign(keys, name, keys, name, Span.days(365), true, List.of());
  }

  /** An authority below another. */
  public static Issued authority(String name, Issued above) {
    return sign(above.keys, subject(above), keys("EC"), name, Span.days(300), true, List.of());
  }

  /** A server's certificate. */
  public static Issued server(Issued authority, String name, Span span) {
    return server(authority, name, span, "EC");
  }

  public static Issued server(Issued authority, String name, Span span, String algorithm) {
    return sign(
        authority.keys,
        subject(authority),
        keys(algorithm),
        name,
        span,
        false,
        List.of(KeyPurposeId.id_kp_serverAuth));
  }

  /** The certificate of a server that is on another host. */
  public static Issued elsewhere(Issued authority) {
    return sign(
        authority.keys,
        subject(authority),
        keys("EC"),
        "elsewhere.example.com",
        Span.days(30),
        false,
        List.of());
  }

  /** A client's certificate. */
  public static Issued client(Issued authority, String name) {
    return sign(
        authority.keys,
        subject(authority),
        keys("EC"),
        name,
        Span.days(30),
        false,
        List.of(KeyPurposeId.id_kp_clientAuth));
  }

  /** The text of a file with certificates. */
  public static String certificates(List<Issued> issued) {
    var text = new StringBuilder();
    try {
      for (Issued one : issued) {
        text.append(pem("CERTIFICATE", one.certificate.getEncoded()));
      }
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
    return text.toString();
  }

  /** Puts a file in the place of another at once. */
  public static void write(Path file, String text) throws IOException {
    Path beside = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(beside, text, StandardCharsets.US_ASCII);
    Files.move(beside, file, StandardCopyOption.REPLACE_EXISTING);
  }

  public static String pem(String label, byte[] der) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(label, Base64.getMimeEncoder().encodeToString(der), label);
  }

  private static String subject(Issued issued) {
    return issued.certificate.getSubjectX500Principal().getName().substring("CN=".length());
  }

  private static KeyPair keys(String algorithm) {
    try {
      return KeyPairGenerator.getInstance(algorithm).generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static Issued sign(
      KeyPair signer,
      String signerName,
      KeyPair keys,
      String name,
      Span span,
      boolean isAuthority,
      List<KeyPurposeId> uses) {
    try {
      var builder =
          new JcaX509v3CertificateBuilder(
              new X500Principal("CN=" + signerName),
              new BigInteger(64, new SecureRandom()),
              Date.from(span.from),
              Date.from(span.until),
              new X500Principal("CN=" + name),
              keys.getPublic());
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(isAuthority));
      if (!uses.isEmpty()) {
        builder.addExtension(
            Extension.extendedKeyUsage,
            false,
            new ExtendedKeyUsage(uses.toArray(KeyPurposeId[]::new)));
        builder.addExtension(
            Extension.subjectAlternativeName,
            false,
            new GeneralNames(
                new GeneralName[] {
                  new GeneralName(GeneralName.dNSName, "localhost"),
                  new GeneralName(GeneralName.iPAddress, "127.0.0.1")
                }));
      }
      var signing = new JcaContentSignerBuilder("SHA256withECDSA").build(signer.getPrivate());
      return new Issued(
          new JcaX509CertificateConverter().getCertificate(builder.build(signing)), keys);
    } catch (CertIOException | GeneralSecurityException | OperatorCreationException e) {
      throw new AssertionError(e);
    }
  }
}
