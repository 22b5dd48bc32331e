package com.lokryn.ducklake.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;

/**
 * AWS with permissions: a proxy before moto that enforces the policy of each access key, and
 * refuses in AWS's words. Moto's own IAM knows no ARNs of secrets and no conditions, and does not
 * say what is missing.
 */
public final class TestingIam implements AutoCloseable {
  /** Requests at once; further ones wait. */
  private static final int CONCURRENT = 64;

  /** More would fill the memory: {@link #forget} them before. */
  private static final int DECISIONS = 100_000;

  /** What a test may change while requests come in. */
  private record Settings(
      Optional<URI> metering, Optional<String> bucketKey, Optional<String> secretsKey) {}

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpForwarder forwarder = new HttpForwarder(threads);
  private final Semaphore concurrent = new Semaphore(CONCURRENT);
  private final Map<String, IamPolicyDocument> policies = new ConcurrentHashMap<>();
  private final AtomicReference<Settings> settings =
      new AtomicReference<>(new Settings(Optional.empty(), Optional.empty(), Optional.empty()));
  private final List<IamDecision> decisions = new ArrayList<>();
  private final IamS3 s3;
  private final IamJsonServices services;
  private final HttpServer server;

  /**
   * Enforces from here on; nobody may do anything yet.
   *
   * @param aws S3, Secrets Manager and KMS
   * @param region the region of all buckets
   */
  public TestingIam(URI aws, String region) {
    s3 = new IamS3(forwarder, aws, region);
    services = new IamJsonServices(forwarder, aws);
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  /** Of all services. S3 has path style. */
  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** Who signs with that key may do what the policy allows, from the next request on. */
  public void policy(String accessKey, IamPolicyDocument policy) {
    policies.put(accessKey, policy);
  }

  /** The key exists no more. */
  public void revoke(String accessKey) {
    policies.remove(accessKey);
  }

  /** Where calls to the metering service go. */
  public void meteringAt(URI metering) {
    settings.updateAndGet(
        now -> new Settings(Optional.of(metering), now.bucketKey(), now.secretsKey()));
  }

  /** All buckets are encrypted with that key by default: their users need it, too. */
  public void encryptBucketWith(String keyArn) {
    settings.updateAndGet(
        now -> new Settings(now.metering(), Optional.of(keyArn), now.secretsKey()));
  }

  /** All secrets are encrypted with that key. */
  public void encryptSecretsWith(String keyArn) {
    settings.updateAndGet(
        now -> new Settings(now.metering(), now.bucketKey(), Optional.of(keyArn)));
  }

  /** Each permission that was asked for, in order. */
  public List<IamDecision> decisions() {
    synchronized (decisions) {
      return List.copyOf(decisions);
    }
  }

  /** The decisions so far are of no interest. */
  public void forget() {
    synchronized (decisions) {
      decisions.clear();
    }
  }

  private void record(IamDecision decision) {
    synchronized (decisions) {
      if (decisions.size() == DECISIONS) {
        throw new IllegalStateException("there are too many decisions: forget() some");
      }
      decisions.add(decision);
    }
  }

  private void handle(HttpExchange exchange) throws IOException {
    concurrent.acquireUninterruptibly();
    try (exchange) {
      answer(exchange);
    } finally {
      concurrent.release();
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    try {
      Optional<IamCaller> caller =
          IamCaller.of(exchange, key -> Optional.ofNullable(policies.get(key)), this::record);
      if (caller.isEmpty()) {
        IamS3.refuse(exchange, new S3Refusal(403, "AccessDenied", "Access Denied", ""));
        return;
      }
      Settings now = settings.get();
      if (caller.get().service().equals("s3")) {
        s3.handle(exchange, caller.get(), now.bucketKey());
      } else {
        services.handle(exchange, caller.get(), now.metering(), now.secretsKey());
      }
    } catch (UnsupportedOperationException | IllegalStateException e) {
      // A cut connection would be tried again, and say nothing.
      IamS3.refuse(
          exchange, new S3Refusal(501, "NotImplemented", String.valueOf(e.getMessage()), ""));
    }
  }

  @Override
  public void close() {
    server.stop(0);
    forwarder.close();
    threads.shutdownNow();
  }
}
