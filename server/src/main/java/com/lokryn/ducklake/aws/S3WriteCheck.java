package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.config.S3Location;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import java.io.UncheckedIOException;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Writes, reads and deletes an object where the data goes: DuckLake keeps small inserts in the
 * catalog, so without it nobody would know that S3 refuses until the first large one.
 */
public final class S3WriteCheck {
  private static final Logger LOG = LoggerFactory.getLogger(S3WriteCheck.class);
  private static final String NAME = ".keep";

  /** The same from each process: several may start at once, and meet in one object. */
  private static final String CONTENT = "ducklake-flight\n";

  /** Another process may delete the object between our writing and reading. */
  private static final int ROUNDS = 3;

  private static final Pattern EXPECTED_REGION = Pattern.compile("expecting '([a-z0-9-]+)'");

  private static final Set<String> BAD_CREDENTIALS =
      Set.of(
          "InvalidAccessKeyId",
          "SignatureDoesNotMatch",
          "ExpiredToken",
          "InvalidToken",
          "TokenRefreshRequired",
          "InvalidClientTokenId");

  private static final Set<String> WRONG_REGION =
      Set.of(
          "PermanentRedirect",
          "AuthorizationHeaderMalformed",
          "IllegalLocationConstraintException",
          "TemporaryRedirect");

  private final AwsClients clients;
  private final S3Location location;
  private final Region region;

  /** How the check ended. */
  public sealed interface Result {}

  /** All of it is allowed and works. */
  public record Passed() implements Result {}

  /** Something of it is not allowed or does not work. */
  public record Failed(StartProblem problem) implements Result {}

  /** The requests, with the permission that each needs. */
  private enum Step {
    WRITE("s3:PutObject"),
    READ("s3:GetObject"),
    DELETE("s3:DeleteObject");

    private final String action;

    Step(String action) {
      this.action = action;
    }
  }

  /**
   * @param region the setting {@code aws_region}
   */
  public S3WriteCheck(AwsClients clients, S3Location location, String region) {
    this.clients = clients;
    this.location = location;
    this.region = Region.of(region);
  }

  /** What is written, read and deleted: {@code bucket/data/.keep}. */
  public String place() {
    return location.bucket() + "/" + location.key(NAME);
  }

  /** Takes seconds at most where S3 answers, half a minute for each step where it does not. */
  public Result run() {
    Step step = Step.WRITE;
    try (S3Client s3 = clients.s3(region.id())) {
      for (int round = 1; ; round++) {
        step = Step.WRITE;
        write(s3);
        step = Step.READ;
        if (read(s3, round == ROUNDS)) {
          break;
        }
      }
      step = Step.DELETE;
      s3.deleteObject(request -> request.bucket(location.bucket()).key(location.key(NAME)));
      return new Passed();
    } catch (SdkException e) {
      return new Failed(problem(step, e));
    } catch (UncheckedIOException e) {
      return new Failed(problem(step, AwsErrors.cut(e)));
    } catch (OtherContentException e) {
      return new Failed(
          new StartProblem(
              Kind.DEPENDENCY,
              "S3 write test failed: %s was read with another content than was written"
                  .formatted(place()),
              "see what else writes there, and what stands between the server and S3"));
    }
  }

  private void write(S3Client s3) {
    s3.putObject(
        request -> request.bucket(location.bucket()).key(location.key(NAME)),
        RequestBody.fromString(CONTENT));
  }

  /** Reads the object; false if it is not there and may be written again. */
  private boolean read(S3Client s3, boolean last) {
    String content;
    try {
      content =
          s3.getObjectAsBytes(request -> request.bucket(location.bucket()).key(location.key(NAME)))
              .asUtf8String();
    } catch (SdkServiceException e) {
      // Without s3:ListBucket S3 does not tell what is not there from what is not allowed.
      boolean gone = e.statusCode() == 404 || e.statusCode() == 403;
      if (last || !gone || AwsErrors.code(e).equals("NoSuchBucket")) {
        throw e;
      }
      return false;
    }
    if (!content.equals(CONTENT)) {
      throw new OtherContentException();
    }
    return true;
  }

  private StartProblem problem(Step step, SdkException e) {
    String text = "S3 write test failed: %s: %s".formatted(place(), AwsErrors.text(e));
    String code = AwsErrors.code(e);
    if (AwsErrors.noCredentials(e)) {
      LOG.debug("no credentials", e);
      return new StartProblem(
          Kind.PERMISSION,
          "S3 write test failed: %s: the process has no AWS credentials".formatted(place()),
          "give the task a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID");
    }
    if (!(e instanceof SdkServiceException service) || AwsErrors.isFault(e)) {
      return new StartProblem(
          Kind.DEPENDENCY,
          text,
          "see that the server reaches S3 in %s: a route to the internet, or a VPC endpoint for s3"
              .formatted(region.id()));
    }
    if (BAD_CREDENTIALS.contains(code)) {
      return new StartProblem(
          Kind.PERMISSION,
          text,
          "see that the process's AWS credentials are in force, and belong to the account that S3"
              + " is asked in");
    }
    if (code.equals("RequestTimeTooSkewed")) {
      return new StartProblem(Kind.CONFIGURATION, text, "set the clock of the machine right");
    }
    if (WRONG_REGION.contains(code) || service.statusCode() == 301) {
      return new StartProblem(Kind.CONFIGURATION, text, regionRemedy(text));
    }
    return switch (code) {
      case "NoSuchBucket", "InvalidBucketName" ->
          new StartProblem(
              Kind.CONFIGURATION,
              text,
              "create the bucket %s, or set %s to another one"
                  .formatted(location.bucket(), Settings.S3_BUCKET_URL.key()));
      case "AccessDenied", "AllAccessDisabled", "AccountProblem" -> denied(step, text, e);
      default ->
          service.statusCode() == 403
              ? denied(step, text, e)
              : new StartProblem(
                  Kind.DEPENDENCY,
                  text,
                  "see what %s refuses (%s)".formatted(location.bucket(), step.action));
    };
  }

  private StartProblem denied(Step step, String text, SdkException e) {
    String arn =
        "arn:%s:s3:::%s/%s*"
            .formatted(AwsErrors.partition(region), location.bucket(), location.prefix());
    return new StartProblem(Kind.PERMISSION, text, AwsErrors.grant(e, step.action, arn));
  }

  private String regionRemedy(String text) {
    Matcher expected = EXPECTED_REGION.matcher(text);
    return "set %s to %s; it is %s"
        .formatted(
            Settings.AWS_REGION.key(),
            expected.find() ? expected.group(1) : "the bucket's region",
            region.id());
  }

  /** What was read is not what was written. */
  private static final class OtherContentException extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }
}
