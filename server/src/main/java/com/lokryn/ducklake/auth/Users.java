package com.lokryn.ducklake.auth;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.access.Role;
import com.lokryn.ducklake.config.FlightUser;
import com.lokryn.ducklake.config.FlightUser.Form;
import com.lokryn.ducklake.config.SecretText;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.Settings;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Who may come in. Thread-safe. */
public final class Users {
  /** Everyone where nobody is asked. */
  public static final Identity ANYONE = new Identity("anonymous", Role.ADMIN);

  private record Known(List<FlightUser> all, Map<String, FlightUser> byName) {
    static Known of(List<FlightUser> all) {
      return new Known(
          List.copyOf(all),
          all.stream()
              .collect(Collectors.toUnmodifiableMap(FlightUser::name, Function.identity())));
    }
  }

  private volatile Known known;

  private Users(List<FlightUser> all) {
    this.known = Known.of(all);
  }

  /** From here on these are the ones of another list; who has come in already stays. */
  public void become(Users others) {
    known = others.known;
  }

  /** Nobody has to show who they are. */
  public static Users anyone() {
    return new Users(List.of());
  }

  /** One user, who is asked for a password. */
  public static Users one(String name, SecretText password) {
    return new Users(List.of(new FlightUser(name, password, Form.CLEAR, Role.ADMIN)));
  }

  /** The users that are set, if any are. */
  public static Optional<Users> configured(ServerConfig config) {
    Optional<List<FlightUser>> users = config.find(Settings.FLIGHT_USERS);
    return users.isEmpty() ? Optional.empty() : Optional.of(of(users.get()));
  }

  static Users of(List<FlightUser> users) {
    return new Users(users);
  }

  /** False where everyone may come in. */
  public boolean areAsked() {
    return !known.all.isEmpty();
  }

  /** Who has that name, if there is someone. */
  public Optional<Identity> identity(String name) {
    return find(name).map(Users::identity);
  }

  static Identity identity(FlightUser user) {
    return new Identity(user.name(), user.role());
  }

  /** The user of that name, if there is one. */
  Optional<FlightUser> find(String name) {
    return Optional.ofNullable(known.byName.get(name));
  }

  /**
   * A user in the place of one who is not there: a password takes as long to be checked against
   * theirs as against anyone's.
   *
   * @param number the same one for the same name, or the time would tell names apart
   */
  FlightUser standIn(int number) {
    List<FlightUser> all = known.all;
    return all.get(Math.floorMod(number, all.size()));
  }
}
