package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.config.S3Location;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * An object of this process below the data path, by which it is seen whether S3 takes and gives
 * objects. Thread-safe.
 */
public final class ProbeObject implements AutoCloseable {
  /** Shorter than a probe may take, so that it ends with what S3 said. */
  private static final Duration TIMEOUT = Duration.ofMillis(4_500);

  private static final Duration LAST_TIMEOUT = Duration.ofSeconds(2);

  private final S3Client s3;
  private final S3Location location;
  private final String name;
  private final String id;
  private volatile String content = "";
  private final AtomicInteger writes = new AtomicInteger();
  private volatile boolean written;

  /**
   * Asks nothing of S3 yet.
   *
   * @param region the bucket's
   * @param random tells this process's object from those of others
   */
  public ProbeObject(
      AwsClients clients, S3Location location, String region, RandomGenerator random) {
    this.s3 = clients.s3(region);
    this.location = location;
    this.id = "%016x".formatted(random.nextLong());
    this.name = ".probe-" + id;
  }

  /** S3 did not do what it was asked. */
  public static final class ObjectException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String code;

    private ObjectException(SdkException e) {
      super(AwsErrors.text(e), e);
      this.code = AwsErrors.code(e);
    }

    /** S3's own word for it, such as {@code AccessDenied}; empty where it was not reached. */
    public String code() {
      return code;
    }
  }

  /** Where it is: {@code s3://bucket/data/.probe-…}. */
  public String url() {
    return location.url() + name;
  }

  /** What was written last. It differs each time: an engine that keeps objects must read anew. */
  public String content() {
    return content;
  }

  /** Writes it, or writes it over; takes 4.5 seconds at most. */
  public void write() throws ObjectException {
    // What is not answered in time may have been done all the same.
    written = true;
    content = "ducklake-flight %s %d".formatted(id, writes.incrementAndGet());
    try {
      s3.putObject(
          request ->
              request
                  .bucket(location.bucket())
                  .key(location.key(name))
                  .overrideConfiguration(within(TIMEOUT)),
          RequestBody.fromString(content));
    } catch (SdkException e) {
      throw new ObjectException(e);
    } catch (UncheckedIOException e) {
      throw new ObjectException(AwsErrors.cut(e));
    }
  }

  private static AwsRequestOverrideConfiguration within(Duration time) {
    return AwsRequestOverrideConfiguration.builder()
        .apiCallTimeout(time)
        .apiCallAttemptTimeout(time)
        .build();
  }

  /** Takes the object away, if there may be one. */
  public void delete() throws ObjectException {
    if (!written) {
      return;
    }
    try {
      s3.deleteObject(
          request ->
              request
                  .bucket(location.bucket())
                  .key(location.key(name))
                  .overrideConfiguration(within(LAST_TIMEOUT)));
      written = false;
    } catch (SdkException e) {
      throw new ObjectException(e);
    } catch (UncheckedIOException e) {
      throw new ObjectException(AwsErrors.cut(e));
    }
  }

  /** Lets go of the connections; the object stays if it was not deleted. */
  @Override
  public void close() {
    s3.close();
  }
}
