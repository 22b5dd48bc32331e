package com.lokryn.ducklake.config;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.lokryn.ducklake.access.Grants;
import com.lokryn.ducklake.access.Role;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Someone who may log in.
 *
 * @param secret the hash of the password, or the password itself
 * @param form which of them it is
 * @param grants what of the lake their role is narrowed to
 */
public record FlightUser(
    String name, SecretText secret, Form form, Role role, Optional<Grants> grants) {
  /** Someone whose role is not narrowed. */
  public FlightUser(String name, SecretText secret, Form form, Role role) {
    this(name, secret, form, role, Optional.empty());
  }

  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              JsonFactory.builder()
                  // Jackson's own texts would carry the hashes.
                  .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private static final Set<String> KEYS =
      Set.of("name", "password_hash", "password", "role", "grants");

  /** About three seconds. */
  private static final int MAX_BCRYPT_COST = 15;

  /** What many tools take by default; hashes are made in a heap of 512 MiB. */
  private static final int MAX_ARGON2_KIB = 64 << 10;

  private static final int MAX_ARGON2_PASSES = 16;
  private static final int MAX_ARGON2_LANES = 16;

  /** RFC 9106, section 3.1. */
  private static final int ARGON2_KIB_PER_LANE = 8;

  private static final int BASE64_GROUP = 4;
  private static final Pattern BCRYPT_COST = Pattern.compile("\\$2[aby]\\$(\\d\\d)\\$");

  private static final Pattern ARGON2_COST =
      Pattern.compile("\\$argon2id\\$v=19\\$m=(\\d+),t=(\\d+),p=(\\d+)\\$([^$]+)\\$([^$]+)");

  /** What a password is kept as. */
  public enum Form {
    /** {@code $2a$}, {@code $2b$} or {@code $2y$}, a cost, and 53 characters. */
    BCRYPT("\\$2[aby]\\$(0[4-9]|[12]\\d|3[01])\\$[./A-Za-z0-9]{53}"),
    /** A string of the Password Hashing Competition's form. */
    ARGON2ID(
        "\\$argon2id\\$v=19\\$m=\\d{1,8},t=\\d{1,4},p=\\d{1,3}"
            + "\\$[A-Za-z0-9+/]{11,128}\\$[A-Za-z0-9+/]{16,128}"),
    /** As it is; in a secret only. */
    CLEAR(".*"),
    /** There is none: a certificate says who it is. */
    NONE("");

    private final Pattern pattern;

    Form(String pattern) {
      this.pattern = Pattern.compile(pattern, Pattern.DOTALL);
    }

    private static Optional<Form> ofHash(String hash) {
      return List.of(BCRYPT, ARGON2ID).stream()
          .filter(form -> form.pattern.matcher(hash).matches())
          .findFirst();
    }
  }

  /**
   * Reads a JSON array of users.
   *
   * @throws IllegalArgumentException with all that is wrong, and nothing of a password or a hash
   */
  static List<FlightUser> parseAll(String text) {
    JsonNode root;
    try {
      root = MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new Setting.SecretTextException("is not valid JSON: " + EXPECTED);
    }
    if (root == null || !root.isArray() || root.isEmpty()) {
      throw new Setting.SecretTextException("is not a JSON array of users: " + EXPECTED);
    }
    var problems = new ArrayList<String>();
    var users = new ArrayList<FlightUser>();
    var names = new HashSet<String>();
    for (int i = 0; i < root.size(); i++) {
      try {
        FlightUser user = parse(root.get(i));
        if (!names.add(user.name())) {
          problems.add("user %d has a name that an earlier one has".formatted(i + 1));
        }
        users.add(user);
      } catch (IllegalArgumentException e) {
        problems.add("user %d %s".formatted(i + 1, e.getMessage()));
      }
    }
    if (!problems.isEmpty()) {
      throw new Setting.SecretTextException("cannot be used: " + String.join("; ", problems));
    }
    return List.copyOf(users);
  }

  private static final String GRANTS_EXPECTED =
      "has grants that are not written as {\"schema.table\": \"select|insert\"}";

  private static final String EXPECTED =
      "write [{\"name\": \"…\", \"password_hash\": \"…\", \"role\": \"reader\"}]";

  private static FlightUser parse(JsonNode node) {
    if (!node.isObject()) {
      throw new IllegalArgumentException("is not a JSON object");
    }
    for (String key : (Iterable<String>) node::fieldNames) {
      if (!KEYS.contains(key)) {
        throw new IllegalArgumentException(
            "has a key that is none of name, password_hash, password, role, grants");
      }
    }
    String name = text(node, "name");
    if (name.indexOf(':') >= 0) {
      throw new IllegalArgumentException("has a colon in its name, which HTTP logins cannot carry");
    }
    Form form = form(node);
    String kept =
        switch (form) {
          case NONE -> "";
          case CLEAR -> text(node, "password");
          case BCRYPT, ARGON2ID -> text(node, "password_hash");
        };
    return new FlightUser(
        name, new SecretText(kept), form, role(text(node, "role")), grants(node.get("grants")));
  }

  private static Form form(JsonNode node) {
    if (node.has("password") && node.has("password_hash")) {
      throw new IllegalArgumentException("needs one of password_hash and password, not both");
    }
    if (node.has("password")) {
      return Form.CLEAR;
    }
    if (!node.has("password_hash")) {
      return Form.NONE;
    }
    String hash = text(node, "password_hash");
    Form form =
        Form.ofHash(hash)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "has a password_hash that is neither bcrypt nor argon2id"));
    checkCost(hash);
    return form;
  }

  private static Optional<Grants> grants(@Nullable JsonNode node) {
    if (node == null) {
      return Optional.empty();
    }
    var written = new LinkedHashMap<String, String>();
    for (Map.Entry<String, JsonNode> grant : node.properties()) {
      if (!grant.getValue().isTextual()) {
        throw new IllegalArgumentException(GRANTS_EXPECTED);
      }
      written.put(grant.getKey(), grant.getValue().textValue());
    }
    if (!node.isObject()) {
      throw new IllegalArgumentException(GRANTS_EXPECTED);
    }
    return Optional.of(Grants.parse(written));
  }

  /** Anyone who reaches the port can have a hash made, whose cost must not be the server's end. */
  private static void checkCost(String hash) {
    Matcher bcrypt = BCRYPT_COST.matcher(hash);
    if (bcrypt.lookingAt() && Integer.parseInt(bcrypt.group(1)) > MAX_BCRYPT_COST) {
      throw new IllegalArgumentException(
          "has a password_hash with a cost above %d: make one with 10 to 12"
              .formatted(MAX_BCRYPT_COST));
    }
    Matcher argon2 = ARGON2_COST.matcher(hash);
    if (argon2.lookingAt()) {
      int memory = Integer.parseInt(argon2.group(1));
      int passes = Integer.parseInt(argon2.group(2));
      int lanes = Integer.parseInt(argon2.group(3));
      if (memory > MAX_ARGON2_KIB || passes > MAX_ARGON2_PASSES || lanes > MAX_ARGON2_LANES) {
        throw new IllegalArgumentException(
            "has a password_hash that takes more than m=%d (KiB), t=%d or p=%d: make one with m=19456,t=2,p=1"
                .formatted(MAX_ARGON2_KIB, MAX_ARGON2_PASSES, MAX_ARGON2_LANES));
      }
      if (memory < ARGON2_KIB_PER_LANE * lanes || passes == 0 || lanes == 0) {
        throw new IllegalArgumentException(
            "has a password_hash with parameters that argon2id does not know");
      }
      for (String base64 : List.of(argon2.group(4), argon2.group(5))) {
        if (base64.length() % BASE64_GROUP == 1) {
          throw new IllegalArgumentException("has a password_hash that was cut off");
        }
      }
    }
  }

  private static String text(JsonNode node, String key) {
    JsonNode value = node.get(key);
    if (value == null || !value.isTextual() || value.textValue().isEmpty()) {
      throw new IllegalArgumentException("needs a text as " + key);
    }
    return value.textValue();
  }

  private static Role role(String text) {
    return Role.of(text)
        .orElseThrow(
            () -> new IllegalArgumentException("has a role that is none of reader, writer, admin"));
  }
}
