package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.config.FlightUser;
import com.lokryn.ducklake.config.SecretText;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.generators.OpenBSDBCrypt;
import org.bouncycastle.crypto.params.Argon2Parameters;

/**
 * Makes what is kept of a password, and compares a password with it. For a hash either takes a
 * tenth of a second.
 */
public final class Passwords {
  /** What OWASP and Password4j take: 19 MiB, two passes. */
  private static final int MEMORY_KIB = 19_456;

  private static final int PASSES = 2;
  private static final int LANES = 1;
  private static final int SALT_BYTES = 16;
  private static final int HASH_BYTES = 32;

  private static final Pattern ARGON2ID =
      Pattern.compile("\\$argon2id\\$v=19\\$m=(\\d+),t=(\\d+),p=(\\d+)\\$([^$]+)\\$([^$]+)");

  private Passwords() {}

  /** True when it is this user's. */
  static boolean isOf(FlightUser user, String password) {
    return switch (user.form()) {
      case NONE -> false;
      case CLEAR -> user.secret().equals(new SecretText(password));
      case BCRYPT -> OpenBSDBCrypt.checkPassword(user.secret().reveal(), password.toCharArray());
      case ARGON2ID -> isOfArgon2(user.secret().reveal(), password);
    };
  }

  /**
   * The hash of a password by argon2id, in the text form that {@code flight_users} takes.
   *
   * @param random the salt's source
   */
  public static String hash(String password, SecureRandom random) {
    byte[] salt = new byte[SALT_BYTES];
    random.nextBytes(salt);
    byte[] hash = argon2(password, salt, MEMORY_KIB, PASSES, LANES, HASH_BYTES);
    Base64.Encoder base64 = Base64.getEncoder().withoutPadding();
    return "$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s"
        .formatted(
            MEMORY_KIB, PASSES, LANES, base64.encodeToString(salt), base64.encodeToString(hash));
  }

  private static boolean isOfArgon2(String hash, String password) {
    Matcher parts = ARGON2ID.matcher(hash);
    if (!parts.matches()) {
      throw new IllegalStateException("not a hash of argon2id");
    }
    byte[] expected = Base64.getDecoder().decode(parts.group(5));
    byte[] found =
        argon2(
            password,
            Base64.getDecoder().decode(parts.group(4)),
            Integer.parseInt(parts.group(1)),
            Integer.parseInt(parts.group(2)),
            Integer.parseInt(parts.group(3)),
            expected.length);
    return MessageDigest.isEqual(expected, found);
  }

  private static byte[] argon2(
      String password, byte[] salt, int memoryKib, int passes, int lanes, int length) {
    var generator = new Argon2BytesGenerator();
    generator.init(
        new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
            .withVersion(Argon2Parameters.ARGON2_VERSION_13)
            .withMemoryAsKB(memoryKib)
            .withIterations(passes)
            .withParallelism(lanes)
            .withSalt(salt)
            .build());
    byte[] hash = new byte[length];
    generator.generateBytes(password.getBytes(StandardCharsets.UTF_8), hash);
    return hash;
  }
}
