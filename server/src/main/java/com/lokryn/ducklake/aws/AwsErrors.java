package com.lokryn.ducklake.aws;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.regions.PartitionMetadata;
import software.amazon.awssdk.regions.Region;

/** What the SDK's exceptions say. */
final class AwsErrors {
  /** The SDK's own remarks behind a service's text. */
  private static final Pattern REMARK = Pattern.compile("\\s*\\((Service: |SDK )[^)]*\\)");

  private static final Pattern REFUSED =
      Pattern.compile(
          "not authorized to perform: ([a-z0-9-]+:\\w+)(?: on resource: \"?([^\\s\"]+))?");

  private AwsErrors() {}

  /** The service's code of an error; empty where it gave none, or was not reached. */
  static String code(SdkException e) {
    return details(e).map(AwsErrorDetails::errorCode).orElse("");
  }

  /** Code and text in the service's own words, or what kept it from being reached. */
  static String text(SdkException e) {
    if (!(e instanceof SdkServiceException) && root(e) instanceof IOException cause) {
      // The SDK wraps it in advice of several lines.
      return cause.getClass().getSimpleName() + ": " + cause.getMessage();
    }
    String code = code(e);
    String message =
        details(e)
            .map(AwsErrorDetails::errorMessage)
            .orElseGet(() -> REMARK.matcher(String.valueOf(e.getMessage())).replaceAll(""));
    if (code.isEmpty()) {
      return e instanceof SdkServiceException service
          ? "HTTP status %d: %s".formatted(service.statusCode(), message)
          : message;
    }
    return code + ": " + message;
  }

  /** A connection that is cut in the middle comes out of the SDK's HTTP client as it is. */
  static SdkException cut(UncheckedIOException e) {
    return SdkClientException.create(String.valueOf(e.getMessage()), e);
  }

  /** Is it the service that does not work, or has too much to do? */
  static boolean isFault(Throwable e) {
    return e instanceof SdkServiceException service
        && (service.statusCode() >= 500 || service.isThrottlingException());
  }

  /** Were there no credentials to sign with? */
  static boolean noCredentials(SdkException e) {
    return !(e instanceof SdkServiceException)
        && String.valueOf(e.getMessage()).contains("Unable to load credentials");
  }

  /**
   * What to allow, from what the service says was refused, else from what was asked for.
   *
   * @param action such as {@code s3:PutObject}
   * @param resource its ARN
   */
  static String grant(SdkException e, String action, String resource) {
    String message = details(e).map(AwsErrorDetails::errorMessage).orElse("");
    Matcher matcher = REFUSED.matcher(message);
    boolean named = matcher.find();
    // A key's permissions are asked for on the way, and the service names them.
    boolean other = named && !matcher.group(1).equals(action);
    String refused = other ? matcher.group(1) : action;
    String on = other ? Optional.ofNullable(matcher.group(2)).orElse("the key") : resource;
    return message.contains("explicit deny")
        ? "take out the explicit deny of %s on %s".formatted(refused, on)
        : "add %s on %s to the policy of the task role".formatted(refused, on);
  }

  /** The first parts of the ARNs of a region: {@code aws}, {@code aws-cn}, {@code aws-us-gov}. */
  static String partition(Region region) {
    return PartitionMetadata.of(region).id();
  }

  static Throwable root(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root;
  }

  private static Optional<AwsErrorDetails> details(SdkException e) {
    return e instanceof AwsServiceException service
        ? Optional.ofNullable(service.awsErrorDetails())
        : Optional.empty();
  }
}
