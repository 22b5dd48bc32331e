package com.lokryn.ducklake.aws;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The statements of the least-privilege policies: what each is for, and on which resources. Their
 * actions are {@link Permission}s.
 */
public enum PolicyStatement {
  CONFIGURATION("Configuration", Role.TASK),
  CONFIGURATION_KEY("ConfigurationKey", Role.TASK),
  LAKE_OBJECTS("LakeObjects", Role.TASK),
  LAKE_LISTING("LakeListing", Role.TASK),
  LAKE_KEY("LakeKey", Role.TASK),
  METERING("Metering", Role.TASK),
  PULL_LOGIN("PullLogin", Role.EXECUTION),
  PULL("Pull", Role.EXECUTION),
  LOGS("Logs", Role.EXECUTION);

  /** Who a policy is for. */
  public enum Role {
    /** The process. */
    TASK,
    /** The agent that starts it: it pulls the image and takes the log. */
    EXECUTION
  }

  /**
   * When a statement holds.
   *
   * @param operator such as {@code StringLike}
   * @param key such as {@code s3:prefix}
   */
  public record Condition(String operator, String key, String value) {}

  private final String sid;
  private final Role role;

  PolicyStatement(String sid, Role role) {
    this.sid = sid;
    this.role = role;
  }

  public String sid() {
    return sid;
  }

  public Role role() {
    return role;
  }

  /** The permissions that it gives in a scope; none where it is not needed. */
  public List<Permission> permissions(PolicyScope scope) {
    return Arrays.stream(Permission.values())
        .filter(permission -> permission.statement() == this && permission.isNeeded(scope))
        .toList();
  }

  /** The ARN of what it is on, with IAM's wildcards. */
  public String resource(PolicyScope scope) {
    return switch (this) {
      case CONFIGURATION -> scope.secretArn();
      case CONFIGURATION_KEY -> scope.secretKey().orElse("the secret's KMS key");
      case LAKE_OBJECTS -> scope.objectsArn();
      case LAKE_LISTING -> scope.bucketArn();
      case LAKE_KEY -> scope.bucketKey().orElse("the bucket's KMS key");
      // These have no resources of their own.
      case METERING, PULL_LOGIN -> "*";
      case PULL -> scope.imagesArn();
      case LOGS -> scope.logArn();
    };
  }

  public Optional<Condition> condition(PolicyScope scope) {
    return switch (this) {
      case CONFIGURATION_KEY ->
          Optional.of(
              new Condition(
                  "StringEquals",
                  "kms:ViaService",
                  PolicyScope.viaService("secretsmanager", scope.secretRegion())));
      case LAKE_LISTING ->
          Optional.of(new Condition("StringLike", "s3:prefix", scope.location().prefix() + "*"));
      case LAKE_KEY ->
          Optional.of(
              new Condition(
                  "StringEquals",
                  "kms:ViaService",
                  PolicyScope.viaService("s3", scope.bucketRegion())));
      case CONFIGURATION, LAKE_OBJECTS, METERING, PULL_LOGIN, PULL, LOGS -> Optional.empty();
    };
  }
}
