package com.lokryn.ducklake.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerConfigTest {
  @TempDir private Path directory;

  @Test
  void theCommandLineGoesBeforeTheFileBeforeTheEnvironment() throws Exception {
    Path file = Files.writeString(directory.resolve("c"), "threads=3\nquery_timeout=5m\n");
    var config =
        ServerConfig.of(
            Map.of("threads", "2"),
            Optional.of(file),
            Map.of("THREADS", "4", "QUERY_TIMEOUT", "1s", "MEMORY_LIMIT", "512MiB"));
    assertThat(config.find(Settings.THREADS)).contains(2);
    assertThat(config.get(Settings.QUERY_TIMEOUT)).isEqualTo(Duration.ofMinutes(5));
    assertThat(config.find(Settings.MEMORY_LIMIT)).contains(new DataSize(512L << 20));
    assertThat(config.get(Settings.FLIGHT_PORT)).isEqualTo(31_337);
  }

  @Test
  void allProblemsAreReportedAtOnceWithWhereTheyCameFrom() throws Exception {
    Path file = Files.writeString(directory.resolve("c"), "thread=3\nflight_port=many\n");
    ConfigException thrown =
        catchThrowableOfType(
            ConfigException.class,
            () ->
                ServerConfig.of(
                    Map.of("drain_timeout", "soon"),
                    Optional.of(file),
                    Map.of("LOG_FORMAT", "xml")));
    assertThat(thrown.problems())
        .hasSize(4)
        .anySatisfy(p -> assertThat(p).contains("unknown key thread;").contains("threads?"))
        .anySatisfy(p -> assertThat(p).contains("flight_port (from " + file))
        .anySatisfy(p -> assertThat(p).contains("drain_timeout (from the command line)"))
        .anySatisfy(
            p -> assertThat(p).contains("environment as LOG_FORMAT").contains("text, json"));
  }

  @Test
  void aLocalServerDoesNotLookAtWhatOnlyProductionNeeds() throws Exception {
    var config =
        ServerConfig.of(
            Map.of(), Optional.empty(), Map.of("AWS_REGION", "Ireland", "POSTGRES_PORT", "many"));
    assertThat(config.find(Settings.AWS_REGION)).isEmpty();
  }

  @Test
  void anEmptyVariableIsNotSet() throws Exception {
    var config = ServerConfig.of(Map.of(), Optional.empty(), Map.of("FLIGHT_PORT", ""));
    assertThat(config.get(Settings.FLIGHT_PORT)).isEqualTo(31_337);
  }

  @Test
  void aFileThatIsNotThereIsAProblem() {
    ConfigException thrown =
        catchThrowableOfType(
            ConfigException.class,
            () -> ServerConfig.of(Map.of(), Optional.of(directory.resolve("none")), Map.of()));
    assertThat(thrown.problems()).singleElement().asString().contains("cannot be read");
  }

  @Test
  void whatNeedsAnotherSettingSaysSo() {
    ConfigException thrown =
        catchThrowableOfType(
            ConfigException.class,
            () ->
                ServerConfig.of(
                    Map.of(), Optional.empty(), Map.of("FLIGHT_TLS_CERTIFICATE", "server.crt")));
    assertThat(thrown.problems())
        .containsExactly("flight_tls_certificate needs flight_tls_private_key: set both or none");
    assertThat(thrown.readable().find(Settings.FLIGHT_TLS_CERTIFICATE)).isPresent();
  }

  @Test
  void aPasswordInClearIsForSecretsOnly() {
    ConfigException thrown =
        catchThrowableOfType(
            ConfigException.class,
            () ->
                ServerConfig.of(
                    Map.of(),
                    Optional.empty(),
                    Map.of(
                        "FLIGHT_USERS",
                        "[{\"name\": \"a\", \"password\": \"pw-x\", \"role\": \"admin\"}]")));
    assertThat(thrown.problems())
        .singleElement()
        .asString()
        .contains("only the secret may have: write password_hash")
        .doesNotContain("pw-x");
  }
}
