package com.lokryn.ducklake.aws;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The JSON Web Token that AWS Marketplace answers a registration with. It proves that the answer is
 * AWS's, to this request and about this product, to whoever has the product's public key.
 */
final class RegistrationSignature {
  /** AWS's have some hundred characters. */
  static final int MAX_CHARACTERS = 16 << 10;

  /** The only algorithm: a token must not choose how it is looked at. */
  private static final String ALGORITHM = "PS256";

  private static final PSSParameterSpec PS256 =
      new PSSParameterSpec(
          "SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, PSSParameterSpec.TRAILER_FIELD_BC);

  private static final Pattern TOKEN =
      Pattern.compile("([A-Za-z0-9_-]+)\\.([A-Za-z0-9_-]+)\\.([A-Za-z0-9_-]+)");

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  /** The answer proves nothing; the message says why. */
  static final class UntrustedException extends Exception {
    private static final long serialVersionUID = 1L;

    UntrustedException(String message) {
      super(message);
    }
  }

  private RegistrationSignature() {}

  /**
   * Looks at a token.
   *
   * @param nonce what this request sent along
   */
  static void verify(
      String token, RSAPublicKey key, String productCode, int keyVersion, String nonce)
      throws UntrustedException {
    if (token.length() > MAX_CHARACTERS) {
      throw new UntrustedException("it is longer than any token of AWS's");
    }
    var parts = TOKEN.matcher(token);
    if (!parts.matches()) {
      throw new UntrustedException("it is no JSON Web Token of three parts");
    }
    JsonNode header = object(parts.group(1), "header");
    if (!header.path("alg").asText().equals(ALGORITHM) || header.has("crit")) {
      throw new UntrustedException("it is not signed by " + ALGORITHM);
    }
    if (!isSigned(parts.group(1) + "." + parts.group(2), decode(parts.group(3)), key)) {
      throw new UntrustedException("its signature is not one of the product's public key");
    }
    JsonNode payload = object(parts.group(2), "payload");
    require(text(payload, "ProductCode").equals(productCode), "it is about another product");
    require(text(payload, "Nonce").equals(nonce), "it answers another request");
    require(
        text(payload, "PublicKeyVersion").equals(Integer.toString(keyVersion)),
        "it is about another version of the product's public key");
  }

  private static void require(boolean condition, String otherwise) throws UntrustedException {
    if (!condition) {
      throw new UntrustedException(otherwise);
    }
  }

  /**
   * A value of the payload, or nothing that could be one. AWS's seller guide writes the names with
   * a capital first letter in its text, and without one in its example.
   */
  private static String text(JsonNode payload, String name) {
    String other = Character.toLowerCase(name.charAt(0)) + name.substring(1);
    List<JsonNode> found =
        List.of(name, other).stream().filter(payload::has).map(payload::get).toList();
    return found.size() == 1
            && (found.getFirst().isTextual() || found.getFirst().isIntegralNumber())
        ? found.getFirst().asText()
        : "";
  }

  private static JsonNode object(String part, String what) throws UntrustedException {
    try {
      JsonNode node = JSON.readTree(decode(part));
      if (node.isObject()) {
        return node;
      }
    } catch (IOException e) {
      // Its text repeats what came.
    }
    throw new UntrustedException("its %s is no JSON object".formatted(what));
  }

  private static byte[] decode(String part) throws UntrustedException {
    try {
      return Base64.getUrlDecoder().decode(part);
    } catch (IllegalArgumentException e) {
      throw new UntrustedException("it is no JSON Web Token");
    }
  }

  private static boolean isSigned(String content, byte[] signature, RSAPublicKey key) {
    try {
      Signature verifier = Signature.getInstance("RSASSA-PSS");
      verifier.setParameter(PS256);
      verifier.initVerify(key);
      verifier.update(content.getBytes(StandardCharsets.US_ASCII));
      return verifier.verify(signature);
    } catch (SignatureException e) {
      // Of another length than the key's, for instance.
      return false;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("a key of RSA cannot be used", e);
    }
  }
}
