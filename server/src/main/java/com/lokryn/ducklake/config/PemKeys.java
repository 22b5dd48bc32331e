package com.lokryn.ducklake.config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads keys in PEM form, RFC 7468. */
final class PemKeys {
  private static final String BEGIN = "-----BEGIN ";

  private static final Pattern PUBLIC_KEY =
      Pattern.compile("-----BEGIN PUBLIC KEY-----([^-]+)-----END PUBLIC KEY-----");

  private PemKeys() {}

  /**
   * An RSA public key.
   *
   * @param text the PEM text, whose line breaks may be written as {@code \n}, or the file's path
   * @throws IllegalArgumentException with a sentence that goes on from the setting's key
   */
  static RSAPublicKey publicKey(String text) {
    String pem = text.contains(BEGIN) ? text.replace("\\n", "\n") : content(text);
    Matcher matcher = PUBLIC_KEY.matcher(pem);
    if (!matcher.find()) {
      throw new IllegalArgumentException(
          "has no -----BEGIN PUBLIC KEY----- block: give the PEM text of an RSA public key, or the"
              + " path of a file with it");
    }
    try {
      byte[] der = Base64.getMimeDecoder().decode(matcher.group(1));
      return (RSAPublicKey)
          KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(der));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IllegalArgumentException("is not a public key for RSA", e);
    }
  }

  private static String content(String path) {
    try {
      return Files.readString(Path.of(path), StandardCharsets.US_ASCII);
    } catch (IOException | InvalidPathException e) {
      throw new IllegalArgumentException(
          "is neither the PEM text of a public key nor a file that can be read", e);
    }
  }
}
