package com.lokryn.ducklake.flight;

import static com.lokryn.ducklake.testing.Statuses.assertFails;
import static com.lokryn.ducklake.testing.TestingCertificates.authority;
import static com.lokryn.ducklake.testing.TestingCertificates.client;
import static com.lokryn.ducklake.testing.TestingCertificates.elsewhere;
import static com.lokryn.ducklake.testing.TestingCertificates.server;
import static com.lokryn.ducklake.testing.TestingCertificates.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.client.ClientTls;
import com.lokryn.ducklake.client.FlightSqlConnection;
import com.lokryn.ducklake.client.HealthProbe;
import com.lokryn.ducklake.client.ResultSink;
import com.lokryn.ducklake.client.ServerException;
import com.lokryn.ducklake.client.ServerUrl;
import com.lokryn.ducklake.testing.TestingCertificates.Issued;
import com.lokryn.ducklake.testing.TestingCertificates.Span;
import com.lokryn.ducklake.testing.TestingClient;
import com.lokryn.ducklake.testing.TestingLakeServer;
import io.grpc.Status;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.sql.DriverManager;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.apache.arrow.flight.FlightClient;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.Location;
import org.apache.arrow.flight.sql.FlightSqlClient;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS on a server's port, with the clients that people have. */
class TlsIT {
  private static final Issued ROOT = authority("root");
  private static final Issued OLD = server(ROOT, "old", Span.days(30));
  private static final Issued NEW = server(ROOT, "new", Span.days(60));
  private static final int ALERT = 21;
  private static final int PROTOCOL_VERSION = 70;

  @TempDir private Path directory;
  private Path certificate;
  private Path key;
  private Path root;
  private Path clientCa;

  @BeforeEach
  void writeFiles() throws Exception {
    certificate = directory.resolve("tls.crt");
    key = directory.resolve("tls.key");
    root = directory.resolve("root.crt");
    clientCa = directory.resolve("clients.crt");
    OLD.writeTo(certificate, key);
    write(root, ROOT.pem());
  }

  @Test
  void stockDriversComeIn() throws Exception {
    try (var server = start(Map.of())) {
      assertThat(select42(server, Optional.empty())).isEqualTo(42);
      String url =
          "jdbc:arrow-flight-sql://localhost:%d?useEncryption=true&tlsRootCerts=%s"
              .formatted(server.port(), root);
      try (var connection = DriverManager.getConnection(url);
          var rows = connection.createStatement().executeQuery("SELECT 42")) {
        assertThat(rows.next()).isTrue();
        assertThat(rows.getInt(1)).isEqualTo(42);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void versionsThatAreSpoken(String version) throws Exception {
    try (var server = start(Map.of());
        var socket = handshake(server, version)) {
      assertThat(socket.getSession().getProtocol()).isEqualTo(version);
      assertThat(socket.getApplicationProtocol()).isEqualTo("h2");
    }
  }

  /** The JDK's client would not even ask for it. */
  @Test
  void olderVersionsAreRefused() throws Exception {
    try (var server = start(Map.of());
        var socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      ByteBuffer hello = ByteBuffer.allocate(52);
      hello.put((byte) 22).putShort((short) 0x0301).putShort((short) 47);
      hello.put((byte) 1).put((byte) 0).putShort((short) 43);
      hello.putShort((short) 0x0302).put(new byte[32]).put((byte) 0);
      hello.putShort((short) 4).putInt(0xC013C009).put((byte) 1).put((byte) 0);
      socket.getOutputStream().write(hello.array(), 0, hello.position());
      byte[] answer = socket.getInputStream().readNBytes(7);
      assertThat(answer[0]).isEqualTo((byte) ALERT);
      assertThat(answer[6]).isEqualTo((byte) PROTOCOL_VERSION);
    }
  }

  @Test
  void clientsThatAreRefusedLearnWhy() throws Exception {
    try (var server = start(Map.of())) {
      String plain = "grpc://localhost:" + server.port();
      String tls = "grpc+tls://localhost:" + server.port();
      assertRefused(plain, ClientTls.USUAL, "speaks TLS, use " + tls);
      assertRefused(tls, ClientTls.USUAL, "of no authority that is trusted here", "--tls-ca");
      assertRefused(tls, trusting(root, Optional.empty()));
      assertRefused(tls, new ClientTls(new ClientTls.Anyone(), Optional.empty()));
      elsewhere(ROOT).writeTo(certificate, key);
      await()
          .until(
              () ->
                  refusal(tls, trusting(root, Optional.empty()))
                      .filter(text -> text.contains("is not taken: No name matching localhost"))
                      .isPresent());
    }
  }

  @Test
  void clientsShowACertificate() throws Exception {
    Issued authority = authority("clients");
    Issued otherAuthority = authority("clients");
    Issued ana = client(authority, "ana");
    Issued stranger = client(otherAuthority, "stranger");
    write(clientCa, authority.pem());
    try (var server = start(Map.of("flight_tls_client_ca", clientCa.toString()))) {
      assertThat(select42(server, Optional.of(ana))).isEqualTo(42);
      String url = "grpc+tls://localhost:" + server.port();
      assertRefused(url, trusting(root, Optional.of(identity(ana))));
      assertRefused(url, trusting(root, Optional.empty()), "asks its clients for a certificate");
      assertRefused(
          url,
          trusting(root, Optional.of(identity(stranger))),
          "asks its clients for a certificate");
      // Who may come in changes without a restart as well.
      write(clientCa, otherAuthority.pem());
      await().until(() -> refusal(url, trusting(root, Optional.of(identity(stranger)))).isEmpty());
      assertRefused(
          url, trusting(root, Optional.of(identity(ana))), "asks its clients for a certificate");
    }
  }

  /** Its common name is that of a user; a password that is wrong is not made good by it. */
  @Test
  void aCertificateNamesAUser() throws Exception {
    Issued authority = authority("clients");
    write(clientCa, authority.pem());
    var settings = new LinkedHashMap<String, String>();
    settings.put("flight_tls_client_ca", clientCa.toString());
    settings.put("flight_tls_client_identity", "subject");
    settings.put("flight_users", "[{\"name\": \"robot\", \"role\": \"admin\"}]");
    try (var server = start(settings)) {
      assertThat(select42(server, Optional.of(client(authority, "robot")))).isEqualTo(42);
      for (String name : List.of("stranger", "Robot", "robot,OU=x")) {
        Issued other = client(authority, name);
        if (name.contains(",")) {
          // A name within a name, which is the user's all the same.
          assertThat(select42(server, Optional.of(other))).isEqualTo(42);
          continue;
        }
        assertFails(Status.Code.UNAUTHENTICATED, () -> select42(server, Optional.of(other)));
      }
      try (var allocator = new RootAllocator();
          var flight = flight(allocator, server, Optional.of(client(authority, "robot")))) {
        assertFails(Status.Code.UNAUTHENTICATED, () -> flight.authenticateBasicToken("robot", ""));
        assertFails(
            Status.Code.UNAUTHENTICATED, () -> flight.authenticateBasicToken("robot", "robot"));
      }
    }
    settings.remove("flight_tls_client_identity");
    settings.put(
        "flight_users",
        "[{\"name\": \"robot\", \"password_hash\": \"%s\", \"role\": \"admin\"}]"
            .formatted("$2a$04$" + "a".repeat(53)));
    try (var server = start(settings)) {
      assertFails(
          Status.Code.UNAUTHENTICATED,
          () -> select42(server, Optional.of(client(authority, "robot"))));
    }
  }

  @Test
  void newConnectionsSeeTheNewCertificateAndOldOnesGoOn() throws Exception {
    try (var server = start(Map.of());
        var allocator = new RootAllocator();
        var flight = flight(allocator, server, Optional.empty());
        var sql = new FlightSqlClient(flight);
        FlightStream stream =
            sql.getStream(
                sql.execute("SELECT range FROM range(5000000)")
                    .getEndpoints()
                    .getFirst()
                    .getTicket())) {
      assertThat(stream.next()).isTrue();
      long rows = stream.getRoot().getRowCount();
      assertThat(shown(server)).isEqualTo(OLD.certificate());
      NEW.writeTo(certificate, key);
      await().until(() -> shown(server).equals(NEW.certificate()));
      while (stream.next()) {
        rows += stream.getRoot().getRowCount();
      }
      assertThat(rows).isEqualTo(5_000_000);
      try (var next =
          sql.getStream(sql.execute("SELECT 1").getEndpoints().getFirst().getTicket())) {
        assertThat(TestingClient.rows(next)).hasSize(1);
      }
    }
  }

  @Test
  void filesThatCannotBeUsedChangeNothingAndShow() throws Exception {
    try (var server = start(Map.of())) {
      int http = server.server().listenHttp(0);
      assertThat(readiness(http)).contains("{\"id\":\"tls\",\"ok\":true,");
      write(key, NEW.keyPem());
      await()
          .until(
              () ->
                  readiness(http)
                      .contains(
                          "\"ok\":false,\"blocks\":false,\"detail\":\"the files of the cert"));
      assertThat(readiness(http))
          .startsWith("200 {\"ready\":true")
          .doesNotContain(directory.toString());
      assertThat(shown(server)).isEqualTo(OLD.certificate());
      assertThat(select42(server, Optional.empty())).isEqualTo(42);
      write(certificate, NEW.pem());
      await().until(() -> readiness(http).contains("{\"id\":\"tls\",\"ok\":true,"));
      assertThat(shown(server)).isEqualTo(NEW.certificate());
    }
  }

  private TestingLakeServer start(Map<String, String> settings) throws Exception {
    var all = new LinkedHashMap<>(settings);
    all.put("flight_tls_certificate", certificate.toString());
    all.put("flight_tls_private_key", key.toString());
    return TestingLakeServer.start(all);
  }

  /** With Arrow's own client. */
  private Object select42(TestingLakeServer server, Optional<Issued> own) throws Exception {
    try (var allocator = new RootAllocator();
        var flight = flight(allocator, server, own);
        var sql = new FlightSqlClient(flight);
        var stream =
            sql.getStream(sql.execute("SELECT 42").getEndpoints().getFirst().getTicket())) {
      return TestingClient.rows(stream).getFirst().getFirst();
    }
  }

  private FlightClient flight(
      RootAllocator allocator, TestingLakeServer server, Optional<Issued> own) throws Exception {
    var builder =
        FlightClient.builder(allocator, Location.forGrpcTls("localhost", server.port()))
            .trustedCertificates(Files.newInputStream(root));
    if (own.isPresent()) {
      ClientTls.Identity identity = identity(own.get());
      builder.clientCertificate(
          Files.newInputStream(identity.certificate()), Files.newInputStream(identity.key()));
    }
    return builder.build();
  }

  private ClientTls.Identity identity(Issued own) throws IOException {
    Path ownCertificate = Files.createTempFile(directory, "own", ".crt");
    Path ownKey = Files.createTempFile(directory, "own", ".key");
    own.writeTo(ownCertificate, ownKey);
    return new ClientTls.Identity(ownCertificate, ownKey);
  }

  private static ClientTls trusting(Path file, Optional<ClientTls.Identity> identity) {
    return new ClientTls(new ClientTls.Authorities(file), identity);
  }

  /**
   * Asserts that both clients of ours are refused with these texts; without any, that they are not.
   */
  private static void assertRefused(String url, ClientTls tls, String... texts) {
    Optional<String> refusal = refusal(url, tls);
    Optional<String> health = HealthProbe.ask(ServerUrl.parse(url), tls);
    if (texts.length == 0) {
      assertThat(refusal).isEmpty();
      assertThat(health).isEmpty();
    } else {
      assertThat(refusal.orElseThrow()).contains(texts).hasLineCount(1);
      assertThat(health.orElseThrow()).contains(texts).hasLineCount(1);
    }
  }

  private static Optional<String> refusal(String url, ClientTls tls) {
    try (var connection = FlightSqlConnection.open(ServerUrl.parse(url), tls, Optional.empty())) {
      connection.run("CREATE OR REPLACE TABLE t (i INTEGER)", new NoRows());
      return Optional.empty();
    } catch (ServerException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Certificate shown(TestingLakeServer server) throws Exception {
    try (var socket = handshake(server, "TLSv1.3")) {
      return socket.getSession().getPeerCertificates()[0];
    }
  }

  private static SSLSocket handshake(TestingLakeServer server, String version) throws Exception {
    var context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new Anyone()}, new SecureRandom());
    var socket =
        (SSLSocket)
            context
                .getSocketFactory()
                .createSocket(InetAddress.getLoopbackAddress(), server.port());
    var parameters = socket.getSSLParameters();
    parameters.setProtocols(new String[] {version});
    parameters.setApplicationProtocols(new String[] {"h2"});
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    return socket;
  }

  private static String readiness(int port) throws Exception {
    try (var http = HttpClient.newHttpClient()) {
      var answer =
          http.send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/readyz".formatted(port)))
                  .build(),
              BodyHandlers.ofString());
      return answer.statusCode() + " " + answer.body();
    }
  }

  private record NoRows() implements ResultSink {
    @Override
    public void start(VectorSchemaRoot columns, DictionaryProvider dictionaries) {}

    @Override
    public void batch(VectorSchemaRoot batch, DictionaryProvider dictionaries) {}

    @Override
    public void end() {}
  }

  private static final class Anyone implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
