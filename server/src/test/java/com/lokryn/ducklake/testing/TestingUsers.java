package com.lokryn.ducklake.testing;

/** Users of each role, all with one password. */
public final class TestingUsers {
  public static final String PASSWORD = "password";

  /** A cheap hash of it. */
  private static final String HASH =
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

  private TestingUsers() {}

  /** The setting {@code flight_users} for root, wanda and ria, one of each role. */
  public static String each() {
    return "[%s, %s, %s]"
        .formatted(user("root", "admin"), user("wanda", "writer"), user("ria", "reader"));
  }

  /** One user as the setting has it. */
  public static String user(String name, String role) {
    return "{\"name\": \"%s\", \"password_hash\": \"%s\", \"role\": \"%s\"}"
        .formatted(name, HASH, role);
  }

  /** One whose role is narrowed. */
  public static String user(String name, String role, String grants) {
    return "{\"name\": \"%s\", \"password_hash\": \"%s\", \"role\": \"%s\", \"grants\": %s}"
        .formatted(name, HASH, role, grants);
  }
}
