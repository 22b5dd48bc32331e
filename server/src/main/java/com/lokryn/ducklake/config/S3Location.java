package com.lokryn.ducklake.config;

import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Where the data of a lake is in S3.
 *
 * @param bucket the bucket's name
 * @param prefix what the keys of all objects begin with: not empty, without a slash at its start,
 *     with one at its end
 */
public record S3Location(String bucket, String prefix) {
  private static final String SCHEME = "s3://";
  private static final String DEFAULT_PREFIX = "data/";
  private static final Pattern BUCKET = Pattern.compile("[a-z0-9.-]*");
  private static final Pattern BUCKET_ENDS = Pattern.compile("[a-z0-9].*[a-z0-9]");
  private static final Pattern ADDRESS = Pattern.compile("\\d+\\.\\d+\\.\\d+\\.\\d+");

  /** DuckDB reads {@code *?[} as patterns; the others mean something in a URL or are not safe. */
  private static final Pattern PATH = Pattern.compile("[A-Za-z0-9/_.=@+,:~!()-]*");

  /**
   * Reads {@code s3://bucket}, which means {@code s3://bucket/data/}, or {@code s3://bucket/path/}.
   * How many slashes are at the end makes no difference.
   *
   * @throws IllegalArgumentException with what is wrong; it never holds the text, which may have
   *     credentials in it
   */
  static S3Location parse(String text) {
    if (!text.toLowerCase(Locale.ROOT).startsWith(SCHEME)) {
      throw new IllegalArgumentException(
          "starts with s3://, as in s3://bucket or s3://bucket/path/; https, s3a and other schemes"
              + " are not taken");
    }
    String rest = text.substring(SCHEME.length());
    if (rest.contains("@") && rest.indexOf('@') < (rest + "/").indexOf('/')) {
      throw new IllegalArgumentException(
          "has a user or a key before an @: credentials come from the process's role, take them"
              + " out");
    }
    if (rest.contains("?") || rest.contains("#")) {
      throw new IllegalArgumentException(
          "has a ? or a #: options do not belong there, take them out");
    }
    String trimmed = rest.replaceFirst("/+$", "");
    int slash = trimmed.indexOf('/');
    String bucket = slash < 0 ? trimmed : trimmed.substring(0, slash);
    checkBucket(bucket);
    if (slash < 0) {
      return new S3Location(bucket, DEFAULT_PREFIX);
    }
    String path = trimmed.substring(slash + 1);
    checkPath(path);
    return new S3Location(bucket, path + "/");
  }

  /** The URL, with a slash at its end. */
  public String url() {
    return SCHEME + bucket + "/" + prefix;
  }

  /** The key of an object below it. */
  public String key(String name) {
    return prefix + name;
  }

  @Override
  public String toString() {
    return url();
  }

  private static void checkBucket(String bucket) {
    if (bucket.length() < 3 || bucket.length() > 63) {
      throw new IllegalArgumentException(
          "names a bucket of %d characters; names of buckets have 3 to 63"
              .formatted(bucket.length()));
    }
    if (!BUCKET.matcher(bucket).matches()) {
      throw new IllegalArgumentException(
          "names a bucket with other characters than lower-case letters, digits, dots and hyphens;"
              + " names of buckets have only these");
    }
    if (!BUCKET_ENDS.matcher(bucket).matches()) {
      throw new IllegalArgumentException(
          "names a bucket that does not start and end with a letter or a digit; names of buckets"
              + " do");
    }
    if (bucket.contains("..")) {
      throw new IllegalArgumentException(
          "names a bucket with two dots in a row; names of buckets have none");
    }
    if (ADDRESS.matcher(bucket).matches()) {
      throw new IllegalArgumentException(
          "has an IP address where the name of the bucket belongs; another endpoint than AWS's is"
              + " set with AWS_ENDPOINT_URL_S3");
    }
  }

  private static void checkPath(String path) {
    if (!PATH.matcher(path).matches()) {
      throw new IllegalArgumentException(
          "has a path with characters that are not safe in S3; use letters, digits and -_.=");
    }
    var parts = Arrays.asList(path.split("/", -1));
    if (parts.contains("")) {
      throw new IllegalArgumentException("has two slashes in a row in its path; write one");
    }
    if (parts.contains(".") || parts.contains("..")) {
      throw new IllegalArgumentException("has a . or .. in its path; S3 has no such folders");
    }
  }
}
