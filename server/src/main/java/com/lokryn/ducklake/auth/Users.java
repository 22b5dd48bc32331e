package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.config.FlightUser;
import com.lokryn.ducklake.config.FlightUser.Form;
import com.lokryn.ducklake.config.SecretText;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.Settings.ClientIdentity;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Who may come in. Thread-safe. */
public final class Users {
  /** Everyone where nobody is asked. */
  public static final Identity ANYONE = new Identity("anonymous", Role.ADMIN);

  /**
   * @param areAsked whether anyone has to show who they are
   */
  private record Known(
      boolean areAsked, List<FlightUser> withPassword, Map<String, FlightUser> byName) {
    static Known of(List<FlightUser> all) {
      return new Known(
          true,
          all.stream().filter(user -> user.form() != Form.NONE).toList(),
          all.stream()
              .collect(Collectors.toUnmodifiableMap(FlightUser::name, Function.identity())));
    }
  }

  private volatile Known known;

  private Users(Known known) {
    this.known = known;
  }

  /** From here on these are the ones of another list; who has come in already stays. */
  public void become(Users others) {
    known = others.known;
  }

  /** Nobody has to show who they are. */
  public static Users anyone() {
    return new Users(new Known(false, List.of(), Map.of()));
  }

  /** Everyone has to show who they are, and nobody can by a password or a certificate. */
  public static Users nobody() {
    return new Users(Known.of(List.of()));
  }

  /** One user, who is asked for a password. */
  public static Users one(String name, SecretText password) {
    return new Users(Known.of(List.of(new FlightUser(name, password, Form.CLEAR, Role.ADMIN))));
  }

  /**
   * The users that are set, if any are. With an identity provider alone they are those that it
   * knows, and nobody has a password.
   */
  public static Optional<Users> configured(ServerConfig config) throws StartException {
    Optional<List<FlightUser>> users = config.find(Settings.FLIGHT_USERS);
    checkCertificates(users.orElse(List.of()), config);
    if (users.isPresent()) {
      return Optional.of(of(users.get()));
    }
    return config.find(Settings.FLIGHT_JWT_ISSUER).map(_ -> nobody());
  }

  private static void checkCertificates(List<FlightUser> users, ServerConfig config)
      throws StartException {
    String key = Settings.FLIGHT_TLS_CLIENT_IDENTITY.key();
    boolean areRead =
        config.find(Settings.FLIGHT_TLS_CLIENT_IDENTITY).orElse(ClientIdentity.OFF)
            == ClientIdentity.SUBJECT;
    if (areRead && config.find(Settings.FLIGHT_TLS_CLIENT_CA).isEmpty()) {
      throw new StartException(
          new StartProblem(
              Kind.CONFIGURATION,
              key + " is subject, and clients are asked for no certificate",
              "set flight_tls_client_ca to the authorities whose certificates say who a client is"));
    }
    for (FlightUser user : users) {
      if (user.form() == Form.NONE && !areRead) {
        throw new StartException(
            new StartProblem(
                Kind.CONFIGURATION,
                "flight_users: %s has neither password_hash nor password".formatted(user.name()),
                "give one of them, or set %s to subject where a certificate says who it is"
                    .formatted(key)));
      }
    }
  }

  static Users of(List<FlightUser> users) {
    return new Users(Known.of(users));
  }

  /** False where everyone may come in. */
  public boolean areAsked() {
    return known.areAsked;
  }

  /** Who has that name, if there is someone. */
  public Optional<Identity> identity(String name) {
    return find(name).map(Users::identity);
  }

  static Identity identity(FlightUser user) {
    return new Identity(user.name(), user.role(), user.grants());
  }

  /** The user of that name, if there is one. */
  Optional<FlightUser> find(String name) {
    return Optional.ofNullable(known.byName.get(name));
  }

  /**
   * A user in the place of one who is not there: a password takes as long to be checked against
   * theirs as against anyone's. None where nobody has a password.
   *
   * @param number the same one for the same name, or the time would tell names apart
   */
  Optional<FlightUser> standIn(int number) {
    List<FlightUser> all = known.withPassword;
    return all.isEmpty()
        ? Optional.empty()
        : Optional.of(all.get(Math.floorMod(number, all.size())));
  }
}
