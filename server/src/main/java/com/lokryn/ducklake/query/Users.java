package com.lokryn.ducklake.query;

import com.lokryn.ducklake.config.SecretText;
import java.util.Optional;

/** Who may come in. */
public final class Users {
  /** The name of everyone where nobody is asked. */
  public static final String ANYONE = "anonymous";

  private record Known(String name, SecretText password) {}

  private final Optional<Known> known;

  private Users(Optional<Known> known) {
    this.known = known;
  }

  /** Nobody has to show who they are. */
  public static Users anyone() {
    return new Users(Optional.empty());
  }

  /** One user, who is asked for a password. */
  public static Users one(String name, SecretText password) {
    return new Users(Optional.of(new Known(name, password)));
  }

  public boolean areAsked() {
    return known.isPresent();
  }

  /**
   * The user of that name, if the password is theirs; it takes as long for one who is not there.
   */
  public Optional<String> check(String name, String password) {
    boolean isPassword =
        known.filter(user -> user.password.equals(new SecretText(password))).isPresent();
    return known.map(Known::name).filter(known -> known.equals(name) && isPassword);
  }
}
