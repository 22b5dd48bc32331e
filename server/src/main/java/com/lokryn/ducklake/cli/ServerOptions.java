package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.ClientTls;
import com.lokryn.ducklake.client.FlightSqlConnection;
import com.lokryn.ducklake.client.FlightSqlConnection.Login;
import com.lokryn.ducklake.client.ServerException;
import com.lokryn.ducklake.client.ServerUrl;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
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

  @Option(
      names = "--tls-ca",
      paramLabel = "FILE",
      description = "PEM file of the authority of the server's certificate; FLIGHT_TLS_CA.")
  private @Nullable Path authority;

  @Option(
      names = "--tls-skip-verify",
      description = "Take any certificate, for tests: whoever is in between reads everything.")
  private boolean skipVerify;

  @ArgGroup(exclusive = false)
  private @Nullable Identity identity;

  /** What a server asks for that knows its clients by certificates. */
  static final class Identity {
    @Option(
        names = "--tls-cert",
        required = true,
        paramLabel = "FILE",
        description = "PEM file of a certificate, for servers that ask clients for one.")
    private @Nullable Path certificate;

    @Option(
        names = "--tls-key",
        required = true,
        paramLabel = "FILE",
        description = "PEM file of its private key.")
    private @Nullable Path key;

    private ClientTls.Identity get() {
      return new ClientTls.Identity(
          Objects.requireNonNull(certificate), Objects.requireNonNull(key));
    }
  }

  /** The address that was given, by the command line or the environment. */
  Optional<ServerUrl> givenUrl() {
    String given = url == null ? System.getenv("FLIGHT_URL") : url;
    try {
      return given == null || given.isEmpty()
          ? Optional.empty()
          : Optional.of(ServerUrl.parse(given));
    } catch (IllegalArgumentException e) {
      throw usage(e);
    }
  }

  /** How to speak TLS; empty where nothing was said about it. */
  Optional<ClientTls> givenTls() {
    String variable = System.getenv("FLIGHT_TLS_CA");
    Path file =
        authority == null && variable != null && !variable.isEmpty()
            ? Path.of(variable)
            : authority;
    if (skipVerify && authority != null) {
      throw new CommandFailure(ExitCode.USAGE, "give --tls-ca or --tls-skip-verify, not both");
    }
    if (skipVerify) {
      System.err.println(
          "warning: --tls-skip-verify takes any certificate: whoever is in between reads everything");
    }
    if (file == null && !skipVerify && identity == null) {
      return Optional.empty();
    }
    ClientTls.Trust trust =
        skipVerify
            ? new ClientTls.Anyone()
            : file == null ? new ClientTls.SystemAuthorities() : new ClientTls.Authorities(file);
    return Optional.of(new ClientTls(trust, Optional.ofNullable(identity).map(Identity::get)));
  }

  FlightSqlConnection connect() {
    ServerUrl place = givenUrl().orElseGet(() -> ServerUrl.parse(ServerUrl.DEFAULT));
    if (!place.tls() && (authority != null || skipVerify || identity != null)) {
      throw new CommandFailure(
          ExitCode.USAGE, "the address %s is one without TLS: use grpc+tls://".formatted(place));
    }
    ClientTls tls = place.tls() ? givenTls().orElse(ClientTls.USUAL) : ClientTls.USUAL;
    try {
      return FlightSqlConnection.open(place, tls, login());
    } catch (ServerException e) {
      throw failure(e);
    } catch (IllegalArgumentException e) {
      throw usage(e);
    }
  }

  static CommandFailure usage(IllegalArgumentException e) {
    return new CommandFailure(ExitCode.USAGE, String.valueOf(e.getMessage()));
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
