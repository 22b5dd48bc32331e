package com.lokryn.ducklake.testing;

import com.lokryn.ducklake.app.LakeServer;
import com.lokryn.ducklake.app.Production;
import com.lokryn.ducklake.auth.Users;
import com.lokryn.ducklake.aws.AwsClients;
import com.lokryn.ducklake.config.ConfigurationReader;
import com.lokryn.ducklake.config.SecretSource;
import com.lokryn.ducklake.config.ServerConfig;
import com.lokryn.ducklake.config.StartProblem;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;

/** A server of a lake in Postgres and S3, in this process, on a free port. */
public final class TestingRemoteServer implements AutoCloseable {
  public static final String ACCESS_KEY = "AKIATESTING";
  public static final String SECRET_KEY = "canary-of-the-secret-key";

  private final AwsClients clients;
  private final Production production;
  private final LakeServer server;
  private final int port;

  private TestingRemoteServer(
      AwsClients clients, Production production, LakeServer server, int port) {
    this.clients = clients;
    this.production = production;
    this.server = server;
    this.port = port;
  }

  public static TestingRemoteServer start(
      TestingProduction services, String lake, URI s3, Map<String, String> settings)
      throws Exception {
    return start(
        services,
        lake,
        s3,
        settings,
        StaticCredentialsProvider.create(AwsBasicCredentials.create(ACCESS_KEY, SECRET_KEY)));
  }

  /**
   * Starts one.
   *
   * @param s3 where the objects are
   * @param settings besides those that name the lake, by key
   */
  public static TestingRemoteServer start(
      TestingProduction services,
      String lake,
      URI s3,
      Map<String, String> settings,
      AwsCredentialsProvider credentials)
      throws Exception {
    return start(
        services,
        lake,
        s3,
        settings,
        credentials,
        _ -> new SecretSource.NotAccessible(StartProblem.Kind.PERMISSION, "none", "none"),
        Duration.ofHours(1));
  }

  /**
   * Starts one.
   *
   * @param secrets has the configuration, besides the environment
   * @param period how often to look at the secret
   */
  public static TestingRemoteServer start(
      TestingProduction services,
      String lake,
      URI s3,
      Map<String, String> settings,
      AwsCredentialsProvider credentials,
      SecretSource secrets,
      Duration period)
      throws Exception {
    var variables = new LinkedHashMap<>(services.environment(lake));
    variables.put("DRAIN_TIMEOUT", "2s");
    settings.forEach((key, value) -> variables.put(key.toUpperCase(Locale.ROOT), value));
    var reader = new ConfigurationReader(secrets, Map.of(), Optional.empty(), variables);
    ServerConfig config = reader.read(_ -> {});
    var clients = new AwsClients(credentials, () -> Region.US_EAST_1, Optional.of(s3));
    var production = new Production(clients, config, reader, period);
    var server =
        new LakeServer(
            config,
            new LakeServer.Service(
                production.lake(),
                Users.configured(config).orElseGet(Users::anyone),
                production.renewal()),
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            TestingLakeServer.extensions(),
            () -> {});
    server.openLake();
    server.checkLake();
    production.keep(server);
    return new TestingRemoteServer(clients, production, server, server.listen());
  }

  public int port() {
    return port;
  }

  public LakeServer server() {
    return server;
  }

  public TestingClient connect() {
    return new TestingClient(port);
  }

  /** As one of {@link TestingUsers}. */
  public TestingClient connect(String user) {
    return TestingClient.of(port, user, TestingUsers.PASSWORD);
  }

  @Override
  public void close() {
    server.close();
    production.close();
    clients.close();
  }
}
