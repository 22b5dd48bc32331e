package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
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

/** What the SDK's exceptions say. */
final class AwsErrors {
  /** The SDK's own remarks behind a service's text. */
  private static final Pattern REMARK = Pattern.compile("\\s*\\((Service: |SDK )[^)]*\\)");

  private static final Pattern REFUSED =
      Pattern.compile(
          "not authorized to perform: ([a-z0-9-]+:\\w+)(?: on resource: \"?([^\\s\"]+))?");

  /** Where nothing was found to sign requests with. */
  static final StartProblem NO_CREDENTIALS =
      new StartProblem(
          Kind.PERMISSION,
          "the process has no AWS credentials",
          "give the task a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID (LOG_LEVEL=debug tells"
              + " where they were looked for)");

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
   * @param permission that was asked for
   * @param resource its ARN
   */
  static String grant(SdkException e, Permission permission, String resource) {
    // A key's permissions are asked for on the way, and the service names them.
    Optional<Refused> other =
        refused(e).filter(refused -> !refused.action().equals(permission.action()));
    String action = other.map(Refused::action).orElse(permission.action());
    String on = other.map(Refused::resource).orElse(resource);
    return message(e).contains("explicit deny")
        ? "take out the explicit deny of %s on %s".formatted(action, on)
        : "add %s on %s to the policy of the task role".formatted(action, on);
  }

  /** What a service says that it did not allow. */
  record Refused(String action, String resource) {}

  /** The action that a service names when it refuses, if it names one. */
  static Optional<Refused> refused(SdkException e) {
    Matcher matcher = REFUSED.matcher(message(e));
    return matcher.find()
        ? Optional.of(
            new Refused(matcher.group(1), Optional.ofNullable(matcher.group(2)).orElse("the key")))
        : Optional.empty();
  }

  private static String message(SdkException e) {
    return details(e).map(AwsErrorDetails::errorMessage).orElse("");
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
