package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.config.Setting;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file in PEM form (RFC 7468) that a setting names.
 *
 * @param setting its key
 */
record PemFile(String setting, Path path, String content) {
  private static final int MAX_BYTES = 1 << 20;
  private static final String CERTIFICATE = "CERTIFICATE";
  private static final String PRIVATE_KEY = "PRIVATE KEY";
  private static final List<String> KEY_ALGORITHMS = List.of("RSA", "EC", "EdDSA");

  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----", Pattern.DOTALL);

  static PemFile read(Setting<Path> setting, Path path) throws StartException {
    try (InputStream in = Files.newInputStream(path)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      var file = new PemFile(setting.key(), path, new String(bytes, StandardCharsets.ISO_8859_1));
      if (bytes.length > MAX_BYTES) {
        throw file.problem("is larger than 1 MiB", file.set("a PEM file"));
      }
      return file;
    } catch (IOException e) {
      String why =
          switch (e) {
            case NoSuchFileException _ -> "is not there";
            case AccessDeniedException _ -> "may not be read by the server's user";
            default -> "cannot be read";
          };
      var unread = new PemFile(setting.key(), path, "");
      throw unread.problem(why, unread.set("a PEM file that the server's user may read"));
    }
  }

  /** Its certificates, in their order. */
  List<X509Certificate> certificates() throws StartException {
    var certificates = new ArrayList<X509Certificate>();
    for (Matcher block = BLOCK.matcher(content); block.find(); ) {
      if (block.group(1).equals(CERTIFICATE)) {
        certificates.add(certificate(block.group(2)));
      }
    }
    if (certificates.isEmpty()) {
      throw problem(
          "has no -----BEGIN CERTIFICATE----- block", set("a file of certificates in PEM form"));
    }
    return certificates;
  }

  private X509Certificate certificate(String base64) throws StartException {
    try {
      byte[] der = Base64.getMimeDecoder().decode(base64);
      return (X509Certificate)
          CertificateFactory.getInstance("X.509")
              .generateCertificate(new ByteArrayInputStream(der));
    } catch (CertificateException | IllegalArgumentException e) {
      throw problem(
          "has a certificate that cannot be read", set("a file of certificates in PEM form"));
    }
  }

  /** Its private key. */
  PrivateKey privateKey() throws StartException {
    for (Matcher block = BLOCK.matcher(content); block.find(); ) {
      if (block.group(1).equals(PRIVATE_KEY)) {
        return privateKey(block.group(2));
      }
      if (block.group(1).endsWith(PRIVATE_KEY)) {
        throw problem(
            "has a %s, a form that is not taken".formatted(block.group(1)),
            "bring it into PKCS#8 without a password: openssl pkcs8 -topk8 -nocrypt -in %s -out NEW"
                .formatted(path));
      }
    }
    throw problem("has no -----BEGIN PRIVATE KEY----- block", set("a private key in PEM form"));
  }

  private PrivateKey privateKey(String base64) throws StartException {
    byte[] der;
    try {
      der = Base64.getMimeDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      der = new byte[0];
    }
    for (String algorithm : KEY_ALGORITHMS) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
      } catch (GeneralSecurityException _) {
        // A key of another algorithm.
      }
    }
    throw problem(
        "has a private key that cannot be read", set("a key of RSA, EC or Ed25519 in PKCS#8"));
  }

  /** The remedy that a setting is changed. */
  String set(String what) {
    return "set %s to %s".formatted(setting, what);
  }

  /**
   * @param what goes on from the file's name
   */
  StartException problem(String what, String remedy) {
    return new StartException(
        new StartProblem(Kind.CONFIGURATION, "%s: %s %s".formatted(setting, path, what), remedy));
  }

  @Override
  public String toString() {
    return setting + ": " + path;
  }
}
