package com.lokryn.ducklake.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

/** What a server in production needs: Postgres, S3, Secrets Manager. Each lake has a name. */
public final class TestingProduction implements AutoCloseable {
  private static final String REGION = "us-east-1";
  private static final AtomicInteger NEXT = new AtomicInteger();

  private final TestingPostgres postgres = TestingPostgres.start();
  private final TestingAws aws = TestingAws.start();

  public TestingPostgres postgres() {
    return postgres;
  }

  public TestingAws aws() {
    return aws;
  }

  /** Makes the database and the bucket of a new lake, and returns the name of both. */
  public String newLake() {
    String name = "lake" + NEXT.incrementAndGet();
    postgres.create(name);
    putBucket(name);
    return name;
  }

  private void putBucket(String name) {
    try (var http = HttpClient.newHttpClient()) {
      var request =
          HttpRequest.newBuilder(aws.endpoint().resolve("/" + name))
              .PUT(HttpRequest.BodyPublishers.noBody())
              .build();
      int status = http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
      if (status != 200) {
        throw new IllegalStateException("the bucket was not made: " + status);
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The environment of a server of that lake, which finds everything in it. */
  public Map<String, String> environment(String lake) {
    var environment = new LinkedHashMap<String, String>();
    environment.put("AWS_ACCESS_KEY_ID", "testing");
    environment.put("AWS_SECRET_ACCESS_KEY", "testing");
    environment.put("AWS_REGION", REGION);
    environment.put("AWS_ENDPOINT_URL", aws.endpoint().toString());
    environment.put("POSTGRES_HOST", "127.0.0.1");
    environment.put("POSTGRES_PORT", Integer.toString(postgres.port()));
    environment.put("POSTGRES_SSLMODE", "disable");
    environment.put("POSTGRES_DB", lake);
    environment.put("POSTGRES_USER", TestingPostgres.USER);
    environment.put("POSTGRES_PASSWORD", TestingPostgres.PASSWORD);
    environment.put("S3_BUCKET_URL", "s3://" + lake);
    environment.put("MEMORY_LIMIT", "1GB");
    environment.put("FLIGHT_AUTH", "none");
    // Several servers run at once.
    environment.put("HTTP_PORT", "0");
    // No load balancer has to see that one stops.
    environment.put("DRAIN_DELAY", "0s");
    return environment;
  }

  /** A secret with the configuration of a server of that lake. */
  public void putSecret(String name, String lake) throws IOException {
    Map<String, String> values = new LinkedHashMap<>();
    environment(lake)
        .forEach(
            (variable, value) -> {
              if (variable.startsWith("POSTGRES_") || variable.startsWith("S3_")) {
                values.put(variable.toLowerCase(Locale.ROOT), value);
              }
            });
    values.put("aws_region", REGION);
    try (var secrets =
        SecretsManagerClient.builder()
            .endpointOverride(aws.endpoint())
            .region(Region.of(REGION))
            .httpClient(UrlConnectionHttpClient.create())
            .credentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create("testing", "testing")))
            .build()) {
      String text = new ObjectMapper().writeValueAsString(values);
      secrets.createSecret(request -> request.name(name).secretString(text));
    }
  }

  /**
   * Serves a lake as in production until it is ended; everything is gone then. The environment
   * variable REPLICAS says by how many servers, which share tokens and tickets.
   *
   * @param arguments further options of {@code serve}
   */
  public static void main(String[] arguments) throws Exception {
    try (var production = new TestingProduction()) {
      String lake = production.newLake();
      production.putSecret("lokryn/ducklake/config", lake);
      var command = new ArrayList<>(List.of(System.getProperty("ducklake.launcher"), "serve"));
      command.addAll(List.of(arguments));
      var builder = new ProcessBuilder(command).inheritIO();
      // Keys in the environment would come before those that an endpoint gives out.
      boolean hasKeys = System.getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI") == null;
      production
          .environment(lake)
          .forEach(
              (variable, value) -> {
                if (variable.startsWith("AWS_") && (hasKeys || !variable.contains("_KEY"))) {
                  builder.environment().put(variable, value);
                }
              });
      builder.environment().putIfAbsent("FLIGHT_AUTH", "none");
      builder.environment().putIfAbsent("FLIGHT_HOST", "127.0.0.1");
      builder.environment().putIfAbsent("DRAIN_DELAY", "0s");
      builder.environment().putIfAbsent("FLIGHT_TOKEN_SECRET", UUID.randomUUID().toString());
      var servers = new ArrayList<Process>();
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(servers)));
      int replicas = Integer.parseInt(System.getenv().getOrDefault("REPLICAS", "1"));
      for (int i = 0; i < replicas; i++) {
        servers.add(builder.start());
      }
      int code = 0;
      for (Process server : servers) {
        code = Math.max(code, server.waitFor());
      }
      production.close();
      Runtime.getRuntime().halt(code);
    }
  }

  private static void stop(List<Process> servers) {
    servers.forEach(Process::destroy);
    for (Process server : servers) {
      try {
        server.waitFor();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void close() {
    aws.close();
    postgres.close();
  }
}
