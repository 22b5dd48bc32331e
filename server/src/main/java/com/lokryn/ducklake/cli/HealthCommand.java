package com.lokryn.ducklake.cli;

import com.lokryn.ducklake.client.ClientTls;
import com.lokryn.ducklake.client.HealthProbe;
import com.lokryn.ducklake.client.ServerUrl;
import com.lokryn.ducklake.config.Setting;
import com.lokryn.ducklake.config.Settings;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
    name = "health",
    description = "Ends with 0 while the server takes queries.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Without an address it asks the server of this machine, as the environment",
      "that both share sets it: with FLIGHT_TLS_CERTIFICATE by TLS, with",
      "FLIGHT_TLS_CLIENT_CA and no certificate of its own by HTTP_PORT."
    })
final class HealthCommand implements Callable<Integer> {
  private static final int USUAL_HTTP_PORT = 8080;

  /**
   * The probe does not leave the machine and carries no secret. Were it to compare the certificate
   * with the file, it would fail for a server that works with the one before.
   */
  private static final ClientTls OWN = new ClientTls(new ClientTls.Anyone(), Optional.empty());

  @Mixin private ServerOptions server = new ServerOptions();

  @Override
  public Integer call() {
    Optional<String> problem;
    try {
      problem =
          server
              .givenUrl()
              .map(url -> HealthProbe.ask(url, server.givenTls().orElse(ClientTls.USUAL)))
              .orElseGet(this::askOwn);
    } catch (IllegalArgumentException e) {
      throw ServerOptions.usage(e);
    }
    if (problem.isPresent()) {
      throw new CommandFailure(ExitCode.DEPENDENCY, problem.get());
    }
    return ExitCode.DONE;
  }

  private Optional<String> askOwn() {
    boolean tls = variable(Settings.FLIGHT_TLS_CERTIFICATE).isPresent();
    Optional<ClientTls> given = tls ? server.givenTls() : Optional.empty();
    if (tls
        && variable(Settings.FLIGHT_TLS_CLIENT_CA).isPresent()
        && given.flatMap(ClientTls::identity).isEmpty()) {
      int port = port(Settings.HTTP_PORT, USUAL_HTTP_PORT);
      return port == ServeRun.NO_HTTP
          ? Optional.of(
              "the server asks for a certificate: give one with --tls-cert and --tls-key, or turn"
                  + " http_port on")
          : HealthProbe.askHttp(port);
    }
    return HealthProbe.ask(
        new ServerUrl("127.0.0.1", port(Settings.FLIGHT_PORT, ServerUrl.DEFAULT_PORT), tls),
        given.orElse(OWN));
  }

  private static int port(Setting<Integer> setting, int usual) {
    try {
      return variable(setting).map(Integer::valueOf).orElse(usual);
    } catch (NumberFormatException _) {
      throw new CommandFailure(ExitCode.USAGE, "%s is not a number".formatted(setting.variable()));
    }
  }

  private static Optional<String> variable(Setting<?> setting) {
    return Optional.ofNullable(System.getenv(setting.variable())).filter(text -> !text.isEmpty());
  }
}
