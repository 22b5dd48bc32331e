package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.config.FlightUser;
import com.lokryn.ducklake.config.SecretText;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.generators.OpenBSDBCrypt;
import org.bouncycastle.crypto.params.Argon2Parameters;

/** Compares a password with what is kept of one. For a hash that takes a tenth of a second. */
final class Passwords {
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

  private static boolean isOfArgon2(String hash, String password) {
    Matcher parts = ARGON2ID.matcher(hash);
    if (!parts.matches()) {
      throw new IllegalStateException("not a hash of argon2id");
    }
    byte[] expected = Base64.getDecoder().decode(parts.group(5));
    var generator = new Argon2BytesGenerator();
    generator.init(
        new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
            .withVersion(Argon2Parameters.ARGON2_VERSION_13)
            .withMemoryAsKB(Integer.parseInt(parts.group(1)))
            .withIterations(Integer.parseInt(parts.group(2)))
            .withParallelism(Integer.parseInt(parts.group(3)))
            .withSalt(Base64.getDecoder().decode(parts.group(4)))
            .build());
    byte[] found = new byte[expected.length];
    generator.generateBytes(password.getBytes(StandardCharsets.UTF_8), found);
    return MessageDigest.isEqual(expected, found);
  }
}
