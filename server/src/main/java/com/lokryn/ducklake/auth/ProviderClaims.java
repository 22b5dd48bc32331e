package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.access.Grants;
import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.auth.Verdict.Known;
import com.lokryn.ducklake.auth.Verdict.Reason;
import com.lokryn.ducklake.auth.Verdict.Refused;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads who someone is, and what they may do, from the claims of a provider's token. */
final class ProviderClaims {
  /**
   * Comes before each name. Logins with a password cannot have a colon in theirs, so that no
   * subject of a provider is ever one of {@code flight_users}.
   */
  static final String PREFIX = "jwt:";

  private static final int NAME_CHARACTERS = 256;
  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

  private final ProviderSettings settings;

  ProviderClaims(ProviderSettings settings) {
    this.settings = settings;
  }

  /** Who it is, if the claims say what they must. */
  Verdict verdict(Map<String, Object> claims) {
    if (!(find(claims, settings.user()) instanceof String name)
        || name.isBlank()
        || name.length() > NAME_CHARACTERS
        || CONTROL.matcher(name).find()) {
      return new Refused(
          Reason.UNKNOWN, "the token has no user's name in claim " + settings.user());
    }
    Optional<Role> role = role(find(claims, settings.role()));
    if (role.isEmpty()) {
      return new Refused(
          Reason.FORBIDDEN,
          "the token has no role reader, writer or admin in claim " + settings.role());
    }
    Optional<Grants> grants;
    try {
      grants = grants(find(claims, settings.grants()));
    } catch (IllegalArgumentException e) {
      return new Refused(
          Reason.FORBIDDEN, "the token's claim %s %s".formatted(settings.grants(), e.getMessage()));
    }
    return Known.each(new Identity(PREFIX + name, role.get(), grants));
  }

  /** A claim of that whole name, which may have dots in it, else one inside of others. */
  private static @Nullable Object find(Map<String, Object> claims, String name) {
    if (claims.containsKey(name)) {
      return claims.get(name);
    }
    Object found = claims;
    for (String part : name.split("\\.", -1)) {
      if (!(found instanceof Map<?, ?> inner)) {
        return null;
      }
      found = inner.get(part);
    }
    return found;
  }

  /** The highest that is known of those that are there. */
  private static Optional<Role> role(@Nullable Object claim) {
    Stream<?> names =
        switch (claim) {
          case String one -> Stream.of(one);
          case Collection<?> several -> several.stream();
          case null, default -> Stream.empty();
        };
    return names
        .filter(String.class::isInstance)
        .map(String.class::cast)
        .flatMap(name -> Role.of(name).stream())
        .max(Role::compareTo);
  }

  private static Optional<Grants> grants(@Nullable Object claim) {
    if (claim == null) {
      return Optional.empty();
    }
    var written = new LinkedHashMap<String, String>();
    if (!(claim instanceof Map<?, ?> map)) {
      throw new IllegalArgumentException("is not written as {\"schema.table\": \"select|insert\"}");
    }
    for (Map.Entry<?, ?> grant : map.entrySet()) {
      if (!(grant.getValue() instanceof String privileges)) {
        throw new IllegalArgumentException(
            "is not written as {\"schema.table\": \"select|insert\"}");
      }
      written.put(String.valueOf(grant.getKey()), privileges);
    }
    return Optional.of(Grants.parse(written));
  }
}
