package com.lokryn.ducklake.aws;

/** Every IAM action that the process, or the agent that starts it, needs. */
public enum Permission {
  GET_SECRET_VALUE(PolicyStatement.CONFIGURATION, "secretsmanager:GetSecretValue"),
  DECRYPT_SECRET(PolicyStatement.CONFIGURATION_KEY, "kms:Decrypt"),
  GET_OBJECT(PolicyStatement.LAKE_OBJECTS, "s3:GetObject"),
  PUT_OBJECT(PolicyStatement.LAKE_OBJECTS, "s3:PutObject"),
  DELETE_OBJECT(PolicyStatement.LAKE_OBJECTS, "s3:DeleteObject"),
  ABORT_MULTIPART_UPLOAD(PolicyStatement.LAKE_OBJECTS, "s3:AbortMultipartUpload"),
  LIST_BUCKET(PolicyStatement.LAKE_LISTING, "s3:ListBucket"),
  ENCRYPT_OBJECT(PolicyStatement.LAKE_KEY, "kms:GenerateDataKey"),
  DECRYPT_OBJECT(PolicyStatement.LAKE_KEY, "kms:Decrypt"),
  REGISTER_USAGE(PolicyStatement.METERING, "aws-marketplace:RegisterUsage"),
  METER_USAGE(PolicyStatement.METERING, "aws-marketplace:MeterUsage"),
  GET_AUTHORIZATION_TOKEN(PolicyStatement.PULL_LOGIN, "ecr:GetAuthorizationToken"),
  CHECK_LAYERS(PolicyStatement.PULL, "ecr:BatchCheckLayerAvailability"),
  GET_LAYER(PolicyStatement.PULL, "ecr:GetDownloadUrlForLayer"),
  GET_IMAGE(PolicyStatement.PULL, "ecr:BatchGetImage"),
  CREATE_LOG_STREAM(PolicyStatement.LOGS, "logs:CreateLogStream"),
  PUT_LOG_EVENTS(PolicyStatement.LOGS, "logs:PutLogEvents");

  private final PolicyStatement statement;
  private final String action;

  Permission(PolicyStatement statement, String action) {
    this.statement = statement;
    this.action = action;
  }

  PolicyStatement statement() {
    return statement;
  }

  /** Is it given by a statement? */
  public boolean isOf(PolicyStatement one) {
    return statement == one;
  }

  /** The name of the action as policies have it. */
  public String action() {
    return action;
  }

  /** Does a configuration need it at all? */
  public boolean isNeeded(PolicyScope scope) {
    return switch (this) {
      case DECRYPT_SECRET -> scope.secretKey().isPresent();
      case ENCRYPT_OBJECT, DECRYPT_OBJECT -> scope.bucketKey().isPresent();
      case REGISTER_USAGE -> scope.registers();
      case METER_USAGE -> scope.meters();
      case GET_SECRET_VALUE,
          GET_OBJECT,
          PUT_OBJECT,
          DELETE_OBJECT,
          ABORT_MULTIPART_UPLOAD,
          LIST_BUCKET,
          GET_AUTHORIZATION_TOKEN,
          CHECK_LAYERS,
          GET_LAYER,
          GET_IMAGE,
          CREATE_LOG_STREAM,
          PUT_LOG_EVENTS ->
          true;
    };
  }
}
