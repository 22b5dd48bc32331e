package com.lokryn.ducklake.testing;

import com.lokryn.ducklake.testing.ScriptedService.Answer;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** An endpoint that gives out credentials as ECS's does, and knows which of them are in force. */
public final class ExpiringKeys implements AutoCloseable {
  private final Map<String, Instant> ends = new ConcurrentHashMap<>();
  private final AtomicInteger number = new AtomicInteger();
  private final Duration life;
  private final ScriptedService service;
  private String key = "";

  public ExpiringKeys(Duration life) {
    this.life = life;
    service = ScriptedService.to(_ -> Answer.json(200, answer()));
    next();
  }

  /** What {@code AWS_CONTAINER_CREDENTIALS_FULL_URI} is set to. */
  public URI uri() {
    return service.endpoint().resolve("/credentials");
  }

  /** What S3 says to a request. */
  public FaultyS3.Fate fate(FaultyS3.Request request) {
    Instant end = ends.get(request.accessKey());
    if (end == null) {
      return FaultyS3.UNKNOWN_KEY;
    }
    return Instant.now().isBefore(end) ? FaultyS3.PASSED : FaultyS3.EXPIRED;
  }

  /** All keys that were given out end now. */
  public synchronized void revoke() {
    ends.clear();
    next();
  }

  /** How many there were. */
  public int count() {
    return number.get();
  }

  private void next() {
    key = "AKIA" + number.incrementAndGet();
    ends.put(key, Instant.now().plus(life));
  }

  /** New ones from the middle of their life on: ECS replaces them well before the end, too. */
  private synchronized String answer() {
    if (Instant.now().isAfter(ends.get(key).minus(life.dividedBy(2)))) {
      next();
    }
    return "{\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"%s\"}"
        .formatted(key, ends.get(key));
  }

  @Override
  public void close() {
    service.close();
  }
}
