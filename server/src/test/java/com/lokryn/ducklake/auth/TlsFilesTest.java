package com.lokryn.ducklake.auth;

import static com.lokryn.ducklake.testing.TestingCertificates.authority;
import static com.lokryn.ducklake.testing.TestingCertificates.certificates;
import static com.lokryn.ducklake.testing.TestingCertificates.client;
import static com.lokryn.ducklake.testing.TestingCertificates.pem;
import static com.lokryn.ducklake.testing.TestingCertificates.server;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.testing.TestingCertificates.Issued;
import com.lokryn.ducklake.testing.TestingCertificates.Span;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TlsFilesTest {
  private static final Issued ROOT = authority("root");
  private static final Issued BELOW = authority("below", ROOT);
  private static final Issued SERVER = server(BELOW, "lake", Span.days(30));

  @TempDir private Path directory;

  @Test
  void aChainWithItsKey() throws Exception {
    TlsMaterial material = load(certificates(List.of(SERVER, BELOW, ROOT)), SERVER.keyPem());
    assertThat(material.chain())
        .containsExactly(SERVER.certificate(), BELOW.certificate(), ROOT.certificate());
    assertThat(material.sentence())
        .isEqualTo(
            "CN=lake for localhost, 127.0.0.1, valid until "
                + SERVER.certificate().getNotAfter().toInstant());
    assertThat(material.clientAuthorities()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"RSA", "EC", "Ed25519"})
  void theKindsOfKeys(String algorithm) throws Exception {
    Issued one = server(ROOT, "lake", Span.days(30), algorithm);
    assertThat(load(one.pem(), one.keyPem()).key()).isEqualTo(one.keys().getPrivate());
    assertThat(problem(SERVER.pem(), one.keyPem())).contains("does not belong to the certificate");
  }

  @Test
  void authoritiesOfClients() throws Exception {
    Path ca = Files.writeString(directory.resolve("ca.pem"), certificates(List.of(ROOT, BELOW)));
    TlsMaterial material = files(SERVER.pem(), SERVER.keyPem(), ca).load(Instant.now());
    assertThat(material.clientAuthorities())
        .containsExactly(ROOT.certificate(), BELOW.certificate());
    assertThat(material.sentence()).endsWith("; clients need a certificate of CN=root or CN=below");
  }

  @Test
  void aFileThatIsNotThere() throws Exception {
    Path none = directory.resolve("none.pem");
    var thrown =
        catchThrowableOfType(
            StartException.class,
            () -> files(SERVER.pem(), SERVER.keyPem(), none).load(Instant.now()));
    assertThat(thrown.problem().kind()).isEqualTo(Kind.CONFIGURATION);
    assertThat(thrown.problem().sentence())
        .isEqualTo(
            "flight_tls_client_ca: %s is not there; set flight_tls_client_ca to a PEM file that the server's user may read"
                .formatted(none));
  }

  @Test
  void filesOfAnotherForm() throws Exception {
    assertThat(problem("nothing", SERVER.keyPem()))
        .contains("no -----BEGIN CERTIFICATE----- block");
    assertThat(problem(SERVER.keyPem(), SERVER.keyPem()))
        .contains("no -----BEGIN CERTIFICATE----- block");
    assertThat(problem(pem("CERTIFICATE", new byte[9]), SERVER.keyPem()))
        .contains("a certificate that cannot be read");
    assertThat(problem(SERVER.pem(), SERVER.pem()))
        .contains("no -----BEGIN PRIVATE KEY----- block");
    assertThat(problem(SERVER.pem(), pem("PRIVATE KEY", new byte[9])))
        .contains("a private key that cannot be read");
    assertThat(problem("x".repeat(2 << 20), SERVER.keyPem())).contains("larger than 1 MiB");
  }

  @ParameterizedTest
  @ValueSource(strings = {"RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"})
  void keysToBeConverted(String label) throws Exception {
    String key =
        pem("EC PARAMETERS", new byte[9])
            + pem(label, new byte[9]).replaceFirst("\n", "\nProc-Type: 4,ENCRYPTED\n\n");
    assertThat(problem(SERVER.pem(), key))
        .contains("has a " + label)
        .contains("openssl pkcs8 -topk8 -nocrypt -in " + directory.resolve("server.key"));
  }

  @Test
  void certificatesThatDoNotFit() throws Exception {
    assertThat(problem(BELOW.pem(), SERVER.keyPem()))
        .contains("does not belong to the certificate");
    assertThat(problem(certificates(List.of(BELOW, SERVER)), SERVER.keyPem()))
        .contains("does not begin with the certificate of flight_tls_private_key")
        .contains("put the server's certificate first");
    assertThat(problem(certificates(List.of(SERVER, ROOT)), SERVER.keyPem()))
        .contains("has a certificate 2 that did not sign the one before it");
    Issued client = client(ROOT, "ana");
    assertThat(problem(client.pem(), client.keyPem())).contains("not made for servers");
  }

  @Test
  void certificatesOfAnotherTime() throws Exception {
    Instant now = Instant.now();
    Issued past = server(ROOT, "past", Span.days(-1));
    assertThat(problem(past.pem(), past.keyPem())).contains("has expired: CN=past ended at");
    Issued future = server(ROOT, "future", new Span(now.plusSeconds(60), now.plusSeconds(120)));
    assertThat(problem(future.pem(), future.keyPem()))
        .contains("is not valid yet: CN=future begins at");
    Path ca = Files.writeString(directory.resolve("ca.pem"), past.pem());
    var thrown =
        catchThrowableOfType(
            StartException.class, () -> files(SERVER.pem(), SERVER.keyPem(), ca).load(now));
    assertThat(thrown.problem().sentence()).contains("expired certificates only");
  }

  private String problem(String certificate, String key) {
    var thrown = catchThrowableOfType(StartException.class, () -> load(certificate, key));
    assertThat(thrown.problem().kind()).isEqualTo(Kind.CONFIGURATION);
    String secret = key.lines().skip(1).findFirst().orElse(key);
    return assertThat(thrown.problem().sentence()).doesNotContain(secret).actual();
  }

  private TlsMaterial load(String certificate, String key) throws Exception {
    return files(certificate, key, null).load(Instant.now());
  }

  /** As the settings name them. */
  private TlsFiles files(String certificate, String key, @Nullable Path clientCa) throws Exception {
    var settings = new java.util.HashMap<String, String>();
    settings.put(
        "flight_tls_certificate",
        Files.writeString(directory.resolve("server.crt"), certificate).toString());
    settings.put(
        "flight_tls_private_key",
        Files.writeString(directory.resolve("server.key"), key).toString());
    if (clientCa != null) {
      settings.put("flight_tls_client_ca", clientCa.toString());
    }
    return TlsFiles.of(ServerConfig.of(settings, Optional.empty(), Map.of())).orElseThrow();
  }
}
