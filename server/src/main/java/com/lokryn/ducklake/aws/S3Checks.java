package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.Finding.Failed;
import com.lokryn.ducklake.config.Finding.Passed;
import com.lokryn.ducklake.config.Finding.Unneeded;
import com.lokryn.ducklake.config.Finding.Untried;
import com.lokryn.ducklake.config.S3Location;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import java.io.UncheckedIOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;

/**
 * Tries everything that the server does with the bucket, each action for itself, so that one which
 * is not allowed says nothing about the others. What is written is one small object, always of the
 * same name, and it is deleted. Thread-safe; each request takes as long as S3 does, 30 s at most.
 */
public final class S3Checks implements AutoCloseable {
  private static final String NAME = ".keep";
  private static final String CONTENT = "ducklake-flight\n";
  private static final String REGION_HEADER = "x-amz-bucket-region";
  private static final int FORBIDDEN = 403;
  private static final int NOT_FOUND = 404;

  /** AWS refuses signatures of clocks that are 5 minutes off. */
  private static final Duration MAX_SKEW = Duration.ofMinutes(2);

  private final S3Client s3;
  private final S3Location location;
  private final Region region;
  private final S3Faults faults;
  private final InstantSource clock;

  /** What S3 said about the object that was written. */
  private volatile @Nullable PutObjectResponse written;

  /** A key that S3 was not allowed to use, in the words of a remedy. */
  private volatile @Nullable StartProblem keyProblem;

  private volatile @Nullable Duration skew;
  private volatile boolean unreachable;

  /**
   * @param region the setting {@code aws_region}
   */
  public S3Checks(AwsClients clients, S3Location location, String region, InstantSource clock) {
    this.s3 = clients.s3(region);
    this.location = location;
    this.region = Region.of(region);
    this.faults = new S3Faults(location, this.region);
    this.clock = clock;
  }

  private interface Request {
    Finding send();
  }

  private Finding tried(String what, Permission permission, Request request) {
    if (unreachable) {
      // The next one would wait as long for nothing.
      return new Untried("S3 did not answer the request before");
    }
    try {
      return request.send();
    } catch (SdkException e) {
      return failed(what, permission, e);
    } catch (UncheckedIOException e) {
      return failed(what, permission, AwsErrors.cut(e));
    }
  }

  private Failed failed(String what, Permission permission, SdkException e) {
    StartProblem problem = faults.problem(what, permission, e);
    unreachable |= !(e instanceof SdkServiceException) && !AwsErrors.noCredentials(e);
    if (AwsErrors.refused(e).filter(refused -> refused.action().startsWith("kms:")).isPresent()) {
      keyProblem = problem;
    }
    return new Failed(problem);
  }

  private String place() {
    return location.bucket() + "/" + location.key(NAME);
  }

  private String key() {
    return location.key(NAME);
  }

  /**
   * Is the bucket in the region of the settings? S3 says where a bucket is to anyone who asks for
   * anything, also when it refuses the rest: it takes no permission. What is asked for is what the
   * policy allows, so that nothing is refused where all is well.
   */
  public Finding location() {
    Optional<String> found;
    try {
      SdkHttpResponse response =
          s3.listObjectsV2(
                  request -> request.bucket(location.bucket()).prefix(location.prefix()).maxKeys(1))
              .sdkHttpResponse();
      look(response);
      found = response.firstMatchingHeader(REGION_HEADER);
    } catch (AwsServiceException e) {
      Optional<SdkHttpResponse> response =
          Optional.ofNullable(e.awsErrorDetails()).map(details -> details.sdkHttpResponse());
      response.ifPresent(this::look);
      if (e.statusCode() == NOT_FOUND) {
        return new Failed(
            new StartProblem(
                Kind.CONFIGURATION,
                "there is no bucket %s".formatted(location.bucket()),
                "create it, or set s3_bucket_url to another one"));
      }
      found = response.flatMap(one -> one.firstMatchingHeader(REGION_HEADER));
      if (found.isEmpty() && e.statusCode() != FORBIDDEN) {
        return failed("the bucket " + location.bucket(), Permission.LIST_BUCKET, e);
      }
    } catch (SdkException e) {
      return failed("the bucket " + location.bucket(), Permission.LIST_BUCKET, e);
    } catch (UncheckedIOException e) {
      return failed("the bucket " + location.bucket(), Permission.LIST_BUCKET, AwsErrors.cut(e));
    }
    return judged(found);
  }

  private Finding judged(Optional<String> named) {
    return named
        .filter(name -> !name.equals(region.id()))
        .<Finding>map(
            name ->
                new Failed(
                    new StartProblem(
                        Kind.CONFIGURATION,
                        "the bucket %s is in %s".formatted(location.bucket(), name),
                        S3Faults.regionRemedy(name, region.id()))))
        .orElseGet(() -> new Passed(found(named)));
  }

  private String found(Optional<String> name) {
    return name.map(there -> "%s is in %s".formatted(location.bucket(), there))
        .orElse("S3 does not say where %s is".formatted(location.bucket()));
  }

  private void look(SdkHttpResponse response) {
    response
        .firstMatchingHeader("Date")
        .ifPresent(
            text -> {
              try {
                skew =
                    Duration.between(
                        ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant(),
                        clock.instant());
              } catch (DateTimeException _) {
                // A stand-in that tells no time.
              }
            });
  }

  /** Is the machine's clock right? After {@link #location}, whose answer had the time in it. */
  public Finding clock() {
    Duration off = skew;
    if (off == null) {
      return new Untried("S3 does not tell the time");
    }
    if (off.abs().compareTo(MAX_SKEW) > 0) {
      return new Failed(
          new StartProblem(
              Kind.CONFIGURATION,
              "the clock is %d s %s; AWS refuses signatures from 300 s on"
                  .formatted(off.abs().toSeconds(), off.isNegative() ? "behind" : "ahead"),
              "set the clock of the machine right, by NTP for instance"));
    }
    return new Passed("within %d s of S3's".formatted(off.abs().toSeconds() + 1));
  }

  /** May what is below the data's path be listed? */
  public Finding list() {
    return tried(
        "listing %s/%s".formatted(location.bucket(), location.prefix()),
        Permission.LIST_BUCKET,
        () -> {
          s3.listObjectsV2(
              request -> request.bucket(location.bucket()).prefix(location.prefix()).maxKeys(1));
          return new Passed(location.url());
        });
  }

  /** May objects be written? */
  public Finding put() {
    return tried(
        "writing " + place(),
        Permission.PUT_OBJECT,
        () -> {
          written =
              s3.putObject(
                  request -> request.bucket(location.bucket()).key(key()),
                  RequestBody.fromString(CONTENT));
          return new Passed(place());
        });
  }

  /**
   * May objects be read? After {@link #put}. Where that was refused there may be nothing to read;
   * then S3's answer to that tells as much.
   */
  public Finding get() {
    return tried("reading " + place(), Permission.GET_OBJECT, this::read);
  }

  private Finding read() {
    String content;
    try {
      content =
          s3.getObjectAsBytes(request -> request.bucket(location.bucket()).key(key()))
              .asUtf8String();
    } catch (AwsServiceException e) {
      // To those who may not list S3 does not say that an object is not there, but that they may
      // not list.
      boolean gone =
          AwsErrors.code(e).equals("NoSuchKey")
              || AwsErrors.refused(e)
                  .filter(refused -> refused.action().equals(Permission.LIST_BUCKET.action()))
                  .isPresent();
      if (gone) {
        return new Passed("reading is allowed; there was nothing to read");
      }
      throw e;
    }
    return content.equals(CONTENT)
        ? new Passed(place())
        : new Failed(
            new StartProblem(
                Kind.DEPENDENCY,
                "%s was read with another content than was written".formatted(place()),
                "see what else writes there, and what stands between the server and S3"));
  }

  /** May objects be deleted? After {@link #get}; nothing stays if so. */
  public Finding delete() {
    return tried(
        "deleting " + place(),
        Permission.DELETE_OBJECT,
        () -> {
          s3.deleteObject(request -> request.bucket(location.bucket()).key(key()));
          return new Passed(place());
        });
  }

  /** May large objects be written in parts, and the parts be taken back? */
  public Finding multipart() {
    String what = "writing %s in parts".formatted(place());
    return tried(
        what,
        Permission.PUT_OBJECT,
        () -> {
          String id =
              s3.createMultipartUpload(request -> request.bucket(location.bucket()).key(key()))
                  .uploadId();
          SdkException failure = null;
          try {
            s3.uploadPart(
                request -> request.bucket(location.bucket()).key(key()).uploadId(id).partNumber(1),
                RequestBody.fromString(CONTENT));
          } catch (SdkException e) {
            failure = e;
          } catch (UncheckedIOException e) {
            failure = AwsErrors.cut(e);
          }
          Finding aborted = abort(id);
          if (failure != null) {
            throw failure;
          }
          return aborted;
        });
  }

  private Finding abort(String id) {
    return tried(
        "ending an upload of %s in parts (its part stays, and costs, until a rule of the bucket ends it)"
            .formatted(place()),
        Permission.ABORT_MULTIPART_UPLOAD,
        () -> {
          s3.abortMultipartUpload(
              request -> request.bucket(location.bucket()).key(key()).uploadId(id));
          return new Passed(place());
        });
  }

  /**
   * May the customer's key be used, where the bucket is encrypted with one? After {@link #get} and
   * {@link #multipart}, with which S3 would have used it.
   */
  public Finding encryption() {
    StartProblem problem = keyProblem;
    if (problem != null) {
      return new Failed(problem);
    }
    PutObjectResponse response = written;
    if (response == null) {
      return new Untried("nothing could be written, so the bucket's encryption is not known");
    }
    String algorithm = String.valueOf(response.serverSideEncryptionAsString());
    if (!algorithm.startsWith("aws:kms")) {
      return new Unneeded("the bucket is not encrypted with a key of KMS");
    }
    return new Passed("the bucket is encrypted with " + response.ssekmsKeyId());
  }

  /**
   * Writes, reads and deletes an object where the data goes: DuckLake keeps small inserts in the
   * catalog, so without it nobody would know that S3 refuses until the first large one.
   */
  public Finding writeTest() {
    for (Supplier<Finding> step : List.<Supplier<Finding>>of(this::put, this::get, this::delete)) {
      if (step.get() instanceof Failed(var problem)) {
        return new Failed(
            new StartProblem(
                problem.kind(), "S3 write test failed: " + problem.text(), problem.remedy()));
      }
    }
    return new Passed(place());
  }

  @Override
  public void close() {
    s3.close();
  }
}
