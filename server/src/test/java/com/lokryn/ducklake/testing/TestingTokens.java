package com.lokryn.ducklake.testing;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;

/** What someone would try with a token. */
public final class TestingTokens {
  private TestingTokens() {}

  /** The key that a server signs session tokens with. */
  public static SecretKey derived(byte[] secret) throws GeneralSecurityException {
    return KDF.getInstance("HKDF-SHA256")
        .deriveKey(
            "HmacSHA256",
            HKDFParameterSpec.ofExtract()
                .addIKM(secret)
                .thenExpand(
                    "ducklake-flight session token".getBytes(StandardCharsets.US_ASCII), 32));
  }

  /**
   * The token with each byte of each part changed, with each character replaced by its neighbour,
   * without its signature, and as one that says it needs none.
   */
  public static List<String> altered(String token) {
    String[] parts = token.split("\\.", -1);
    var altered = new ArrayList<String>();
    for (int part = 0; part < parts.length; part++) {
      byte[] bytes = Base64.getUrlDecoder().decode(parts[part]);
      for (int i = 0; i < bytes.length; i++) {
        byte[] changed = bytes.clone();
        changed[i] ^= 1;
        altered.add(with(parts, part, encode(changed)));
      }
      for (int i = 0; i < parts[part].length(); i++) {
        var changed = new StringBuilder(parts[part]);
        changed.setCharAt(i, neighbour(changed.charAt(i)));
        altered.add(with(parts, part, changed.toString()));
      }
    }
    altered.add(with(parts, 2, ""));
    altered.add(parts[0] + "." + parts[1]);
    altered.add(token + ".");
    altered.add(token + "A");
    altered.add(token + "=");
    altered.add(token.substring(0, token.length() - 1));
    for (String none : List.of("none", "None", "NONE")) {
      String header = encode("{\"alg\":\"%s\"}".formatted(none).getBytes(StandardCharsets.UTF_8));
      altered.add(header + "." + parts[1] + ".");
      altered.add(header + "." + parts[1] + "." + parts[2]);
    }
    return altered;
  }

  /** In the alphabet of base64url the next one, which differs in the last bit. */
  private static char neighbour(char c) {
    String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return alphabet.charAt(alphabet.indexOf(c) ^ 1);
  }

  private static String encode(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static String with(String[] parts, int part, String replaced) {
    String[] changed = parts.clone();
    changed[part] = replaced;
    return String.join(".", changed);
  }
}
