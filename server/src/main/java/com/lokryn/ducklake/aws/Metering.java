package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import java.util.Set;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;

/** The actions of AWS Marketplace's metering, and what their failures mean for an operator. */
enum Metering {
  REGISTER("AWS Marketplace registration failed", Permission.REGISTER_USAGE),
  METER("AWS Marketplace usage report failed", Permission.METER_USAGE);

  private static final Set<String> BAD_CREDENTIALS =
      Set.of(
          "UnrecognizedClientException",
          "InvalidClientTokenId",
          "ExpiredTokenException",
          "ExpiredToken",
          "InvalidSignatureException",
          "SignatureDoesNotMatch",
          "IncompleteSignatureException",
          "MissingAuthenticationTokenException",
          "MissingAuthenticationToken");

  private final String failed;
  private final Permission permission;

  Metering(String failed, Permission permission) {
    this.failed = failed;
    this.permission = permission;
  }

  /** Without a region there is no endpoint. */
  StartProblem regionUnknown() {
    return new StartProblem(
        Kind.CONFIGURATION,
        failed + ": the region that the process runs in is not known",
        "set AWS_REGION to the region that the task runs in");
  }

  /** May the same request succeed a little later? */
  static boolean isPassing(SdkException e) {
    return AwsErrors.isFault(e)
        || (!(e instanceof SdkServiceException) && !AwsErrors.noCredentials(e));
  }

  /**
   * What keeps it from working.
   *
   * @param region the region that was asked
   */
  StartProblem problem(SdkException e, String region) {
    String text = failed + ": " + AwsErrors.text(e);
    if (AwsErrors.noCredentials(e)) {
      return new StartProblem(
          Kind.PERMISSION,
          failed + ": the process has no AWS credentials",
          "give the task a role, or the pod's service account one");
    }
    if (!(e instanceof SdkServiceException service)) {
      return new StartProblem(
          Kind.DEPENDENCY,
          text,
          "see that the server reaches metering.marketplace.%s: a VPC endpoint, or a route to the"
                  .formatted(region)
              + " internet through a NAT gateway; and that AWS has a region of that name");
    }
    String code = AwsErrors.code(e);
    if (isOfClock(code, text)) {
      return new StartProblem(Kind.CONFIGURATION, text, "set the clock of the machine right");
    }
    if (BAD_CREDENTIALS.contains(code)) {
      return new StartProblem(
          Kind.PERMISSION,
          text,
          "see that the process's AWS credentials are in force, and are those of the task role");
    }
    return ofCode(code, service, text, region, e);
  }

  private StartProblem ofCode(
      String code, SdkServiceException service, String text, String region, SdkException e) {
    return switch (code) {
      // Older texts of AWS's have the second name.
      case "CustomerNotEntitledException", "CustomerNotSubscribedException" ->
          new StartProblem(
              Kind.DEPENDENCY,
              text,
              "subscribe to the product on AWS Marketplace in this account, and start again");
      case "PlatformNotSupportedException" ->
          new StartProblem(
              Kind.DEPENDENCY,
              text,
              "run on ECS, Fargate or EKS with a task role or a role of the service account;"
                  + " elsewhere leave %s unset, or use serve --local"
                      .formatted(Settings.MARKETPLACE_PRODUCT_CODE.key()));
      case "InvalidProductCodeException" ->
          new StartProblem(
              Kind.CONFIGURATION,
              text,
              "set %s to the product's code, as the seller's portal shows it"
                  .formatted(Settings.MARKETPLACE_PRODUCT_CODE.key()));
      case "InvalidPublicKeyVersionException" ->
          new StartProblem(
              Kind.CONFIGURATION,
              text,
              "set %s to the version of the product's public key, as the seller's portal shows it"
                  .formatted(Settings.MARKETPLACE_PUBLIC_KEY_VERSION.key()));
      case "InvalidRegionException", "InvalidEndpointRegionException" ->
          new StartProblem(
              Kind.CONFIGURATION,
              text,
              "ask in the region that the task runs in, not in %s: take a hard-wired AWS_REGION or"
                      .formatted(region)
                  + " AWS_ENDPOINT_URL_MARKETPLACE_METERING out of its environment");
      case "DisabledApiException" ->
          new StartProblem(
              Kind.DEPENDENCY,
              text,
              "run in a region that has %s; %s has not".formatted(permission.action(), region));
      case "InvalidUsageDimensionException" ->
          new StartProblem(
              Kind.CONFIGURATION,
              text,
              "set %s to a dimension of the product"
                  .formatted(Settings.MARKETPLACE_USAGE_DIMENSION.key()));
      case "InvalidTagException", "InvalidUsageAllocationsException" ->
          new StartProblem(
              Kind.CONFIGURATION,
              text,
              "report it to the product's seller: usage is sent without tags and allocations");
      case "AccessDeniedException", "AccessDenied" ->
          new StartProblem(Kind.PERMISSION, text, AwsErrors.grant(e, permission, "*"));
      default -> other(service, text, e);
    };
  }

  private StartProblem other(SdkServiceException service, String text, SdkException e) {
    if (AwsErrors.isFault(e)) {
      return new StartProblem(
          Kind.DEPENDENCY,
          text,
          "try again later, and see AWS's status page (health.aws.amazon.com)");
    }
    return service.statusCode() == 403
        ? new StartProblem(Kind.PERMISSION, text, AwsErrors.grant(e, permission, "*"))
        : new StartProblem(
            Kind.DEPENDENCY, text, "see what %s refuses".formatted(permission.action()));
  }

  /** Signatures hold for some minutes. */
  private static boolean isOfClock(String code, String text) {
    return code.equals("RequestTimeTooSkewed")
        || code.equals("RequestExpired")
        || text.contains("Signature expired")
        || text.contains("Signature not yet current");
  }
}
