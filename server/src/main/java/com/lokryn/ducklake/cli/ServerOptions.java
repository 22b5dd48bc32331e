package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.FlightSqlConnection;
import com.lokryn.ducklake.client.FlightSqlConnection.Login;
import com.lokryn.ducklake.client.ServerException;
import com.lokryn.ducklake.client.ServerUrl;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which server a client command talks to, and as whom. */
final class ServerOptions {
  @Option(
      names = "--url",
      paramLabel = "U",
      description = "Address of the server; FLIGHT_URL, else " + ServerUrl.DEFAULT + ".")
  private @Nullable String url;

  @Option(
      names = "--user",
      paramLabel = "U",
      description = "User; FLIGHT_USER. The password comes from FLIGHT_PASSWORD or a prompt.")
  private @Nullable String user;

  ServerUrl url() {
    String given = url == null ? System.getenv("FLIGHT_URL") : url;
    try {
      return ServerUrl.parse(given == null || given.isEmpty() ? ServerUrl.DEFAULT : given);
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(ExitCode.USAGE, String.valueOf(e.getMessage()));
    }
  }

  FlightSqlConnection connect() {
    try {
      return FlightSqlConnection.open(url(), login());
    } catch (ServerException e) {
      throw failure(e);
    }
  }

  static CommandFailure failure(ServerException e) {
    return new CommandFailure(
        e.isUnreachable() ? ExitCode.DEPENDENCY : ExitCode.FAILED, String.valueOf(e.getMessage()));
  }

  private Optional<Login> login() {
    String who = user == null ? System.getenv("FLIGHT_USER") : user;
    if (who == null || who.isEmpty()) {
      return Optional.empty();
    }
    String password = System.getenv("FLIGHT_PASSWORD");
    if (password == null) {
      password = Terminal.password("Password for " + who + ": ").orElse(null);
    }
    if (password == null) {
      throw new CommandFailure(
          ExitCode.USAGE, "the user %s needs a password: set FLIGHT_PASSWORD".formatted(who));
    }
    return Optional.of(new Login(who, password));
  }
}
