package com.lokryn.ducklake.testing;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** What a server in production needs: Postgres, S3, Secrets Manager. Each lake has a name. */
public final class TestingProduction implements AutoCloseable {
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
    environment.put("AWS_REGION", "us-east-1");
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
    return environment;
  }

  @Override
  public void close() {
    aws.close();
    postgres.close();
  }
}
