package com.lokryn.ducklake.aws;

import com.lokryn.ducklake.config.S3Location;
import java.util.Optional;
import java.util.regex.Pattern;
import software.amazon.awssdk.arns.Arn;
import software.amazon.awssdk.regions.PartitionMetadata;
import software.amazon.awssdk.regions.Region;

/**
 * What a policy is for: the names that its resources are made of.
 *
 * @param region of the process, where its secret, its log and its registration are
 * @param bucketRegion of the bucket
 * @param account twelve digits; empty for any
 * @param secretId name or ARN of the secret with the configuration
 * @param secretKey ARN of the customer's key that the secret is encrypted with, if it is
 * @param bucketKey ARN of the customer's key that the bucket is encrypted with, if it is
 * @param logGroup that the container's log goes to
 * @param registers is the start registered with AWS Marketplace?
 * @param meters is usage reported to AWS Marketplace?
 */
public record PolicyScope(
    String region,
    String bucketRegion,
    Optional<String> account,
    String secretId,
    S3Location location,
    Optional<String> secretKey,
    Optional<String> bucketKey,
    String logGroup,
    boolean registers,
    boolean meters) {
  /** Secrets Manager puts a hyphen and six characters behind the name. */
  private static final String SUFFIX = "-??????";

  private static final Pattern WHOLE_ARN = Pattern.compile(".*-[A-Za-z0-9]{6}");
  private static final String ANY = "*";

  /** Where nothing is known but the bucket. */
  static PolicyScope ofBucket(S3Location location, Region region) {
    return new PolicyScope(
        region.id(),
        region.id(),
        Optional.empty(),
        "",
        location,
        Optional.empty(),
        Optional.empty(),
        "",
        false,
        false);
  }

  /** The secret, whatever its six characters are; never one whose name only begins the same. */
  static String secretArn(String id, String region, String account) {
    if (!id.startsWith("arn:")) {
      return arn(region, "secretsmanager", region, account, "secret:" + id + SUFFIX);
    }
    return WHOLE_ARN.matcher(id).matches() ? id : id + SUFFIX;
  }

  String secretArn() {
    return secretArn(secretId, region, accountField());
  }

  /** The ARN's own, where the setting has one: the process asks there. */
  String secretRegion() {
    return secretId.startsWith("arn:") ? Arn.fromString(secretId).region().orElse(region) : region;
  }

  String bucketArn() {
    return arn(bucketRegion, "s3", "", "", location.bucket());
  }

  String objectsArn() {
    return bucketArn() + "/" + location.prefix() + ANY;
  }

  /** Images of AWS Marketplace are in an account and a region of AWS's. */
  String imagesArn() {
    return arn(region, "ecr", ANY, ANY, "repository/" + ANY);
  }

  String logArn() {
    return arn(region, "logs", region, accountField(), "log-group:" + logGroup + ":" + ANY);
  }

  /** The name under which a service uses a key for its caller. */
  static String viaService(String service, String region) {
    return "%s.%s.%s".formatted(service, region, partition(region).dnsSuffix());
  }

  private String accountField() {
    return account.orElse(ANY);
  }

  private static String arn(
      String partitionOf, String service, String region, String account, String resource) {
    return "arn:%s:%s:%s:%s:%s"
        .formatted(partition(partitionOf).id(), service, region, account, resource);
  }

  private static PartitionMetadata partition(String region) {
    return PartitionMetadata.of(Region.of(region));
  }
}
