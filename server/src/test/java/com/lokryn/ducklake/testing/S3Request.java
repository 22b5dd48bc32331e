package com.lokryn.ducklake.testing;

import java.util.Map;
import java.util.Optional;

/**
 * A request to S3, as IAM sees it.
 *
 * @param key empty for a request on the bucket
 * @param prefix of a list, where it is asked for with one
 */
record S3Request(Operation operation, String bucket, String key, Optional<String> prefix) {
  /** What is done, with the action that it needs. */
  enum Operation {
    PUT_OBJECT("s3:PutObject"),
    CREATE_UPLOAD("s3:PutObject"),
    UPLOAD_PART("s3:PutObject"),
    COMPLETE_UPLOAD("s3:PutObject"),
    ABORT_UPLOAD("s3:AbortMultipartUpload"),
    GET_OBJECT("s3:GetObject"),
    HEAD_OBJECT("s3:GetObject"),
    DELETE_OBJECT("s3:DeleteObject"),
    DELETE_OBJECTS("s3:DeleteObject"),
    LIST_OBJECTS("s3:ListBucket"),
    HEAD_BUCKET("s3:ListBucket"),
    LIST_UPLOADS("s3:ListBucketMultipartUploads"),
    GET_LOCATION("s3:GetBucketLocation"),
    GET_ENCRYPTION("s3:GetEncryptionConfiguration"),
    UNKNOWN("s3:Unknown");

    private final String action;

    Operation(String action) {
      this.action = action;
    }

    String action() {
      return action;
    }
  }

  String bucketArn() {
    return "arn:aws:s3:::" + bucket;
  }

  String arn() {
    return arn(key);
  }

  String arn(String ofKey) {
    return ofKey.isEmpty() ? bucketArn() : bucketArn() + "/" + ofKey;
  }

  IamRequest access() {
    return new IamRequest(
        operation.action(),
        arn(),
        prefix.map(value -> Map.of("s3:prefix", value)).orElse(Map.of()));
  }
}
