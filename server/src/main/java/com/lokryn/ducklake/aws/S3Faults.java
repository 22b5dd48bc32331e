package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.config.S3Location;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.regions.Region;

/** What an operator does about an error of S3's. */
final class S3Faults {
  private static final Logger LOG = LoggerFactory.getLogger(S3Faults.class);

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

  private final S3Location location;
  private final Region region;
  private final PolicyScope scope;

  S3Faults(S3Location location, Region region) {
    this.location = location;
    this.region = region;
    this.scope = PolicyScope.ofBucket(location, region);
  }

  /**
   * What is wrong.
   *
   * @param what was tried and on what, to begin the text with
   * @param permission that it takes
   */
  StartProblem problem(String what, Permission permission, SdkException e) {
    String text = what + ": " + AwsErrors.text(e);
    String code = AwsErrors.code(e);
    if (AwsErrors.noCredentials(e)) {
      LOG.debug("no credentials", e);
      return new StartProblem(
          Kind.PERMISSION,
          what + ": " + AwsErrors.NO_CREDENTIALS.text(),
          AwsErrors.NO_CREDENTIALS.remedy());
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
      case "AccessDenied", "AllAccessDisabled", "AccountProblem" -> denied(text, permission, e);
      default ->
          service.statusCode() == 403
              ? denied(text, permission, e)
              : new StartProblem(
                  Kind.DEPENDENCY,
                  text,
                  "see what %s refuses (%s)".formatted(location.bucket(), permission.action()));
    };
  }

  private StartProblem denied(String text, Permission permission, SdkException e) {
    return new StartProblem(
        Kind.PERMISSION,
        text,
        AwsErrors.grant(e, permission, permission.statement().resource(scope)));
  }

  private String regionRemedy(String text) {
    Matcher expected = EXPECTED_REGION.matcher(text);
    return regionRemedy(expected.find() ? expected.group(1) : "the bucket's region", region.id());
  }

  static String regionRemedy(String right, String wrong) {
    return "set %s to %s; it is %s".formatted(Settings.AWS_REGION.key(), right, wrong);
  }
}
