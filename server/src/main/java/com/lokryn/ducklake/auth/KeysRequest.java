package com.lokryn.ducklake.auth;

import com.nimbusds.jose.util.Resource;
import com.nimbusds.jose.util.ResourceRetriever;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Fetches a provider's keys. The library's own way has a limit for each read, so that a server that
 * sends a byte now and then would hold it for hours; this has one for the whole of it. Redirects
 * are not followed: the setting says where the keys are. Thread-safe.
 */
final class KeysRequest implements ResourceRetriever, AutoCloseable {
  private static final int MAX_BYTES = 1 << 20;
  private static final int OK = 200;

  private final HttpClient http;
  private final Duration timeout;

  KeysRequest(Duration timeout) {
    this.timeout = timeout;
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout)
            .followRedirects(Redirect.NEVER)
            .build();
  }

  @Override
  public Resource retrieveResource(URL url) throws IOException {
    CompletableFuture<HttpResponse<String>> sent;
    try {
      sent =
          http.sendAsync(
              HttpRequest.newBuilder(url.toURI())
                  .header("Accept", "application/json, application/jwk-set+json")
                  .build(),
              BodyHandlers.limiting(BodyHandlers.ofString(StandardCharsets.UTF_8), MAX_BYTES));
    } catch (URISyntaxException e) {
      throw new IOException("not an address", e);
    }
    HttpResponse<String> response = await(sent);
    if (response.statusCode() != OK) {
      throw new IOException("it answered with status " + response.statusCode());
    }
    return new Resource(
        response.body(), response.headers().firstValue("content-type").orElse(null));
  }

  private HttpResponse<String> await(CompletableFuture<HttpResponse<String>> sent)
      throws IOException {
    try {
      return sent.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      sent.cancel(true);
      throw new IOException("no answer within %d ms".formatted(timeout.toMillis()), e);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      throw new IOException(cause == null ? e : cause);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      sent.cancel(true);
      throw new InterruptedIOException("the server is stopping");
    }
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
