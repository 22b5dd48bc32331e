package com.lokryn.ducklake.observe;

import java.util.Locale;

/**
 * Everything that is looked at, whether before the start, on request, or while the server runs. It
 * has one name everywhere: in {@code doctor}, {@code /readyz}, metrics and logs. The order is that
 * in which they are shown.
 */
public enum CheckId {
  /** The settings are complete and of the right form. */
  CONFIGURATION,
  /** The users in {@code flight_users}. */
  USERS,
  /** The keys of the identity provider whose tokens are taken. */
  JWT_JWKS,
  /** The process has AWS credentials, and new ones before they end. */
  CREDENTIALS,
  /** The secret with the configuration. */
  SECRET_READ,
  /** The customer's key that the secret is encrypted with. */
  SECRET_KMS,
  /** The machine's clock, which signatures depend on. */
  CLOCK,
  /** Registering with AWS Marketplace. */
  METERING_REGISTER,
  /** Reporting usage to AWS Marketplace. */
  METERING_USAGE,
  S3_LOCATION,
  S3_LIST,
  S3_PUT,
  S3_GET,
  S3_DELETE,
  S3_MULTIPART,
  /** The customer's key that the bucket's objects are encrypted with. */
  S3_KMS,
  POSTGRES_REACH,
  POSTGRES_TLS,
  POSTGRES_LOGIN,
  POSTGRES_CREATE,
  POSTGRES_VERSION,
  /** DuckDB is open. */
  ENGINE,
  /** The lake is attached, and its catalog can be read. */
  CATALOG,
  /** The directory that the engine spills to. */
  SPILL,
  MEMORY,
  /** How many files and connections the process may have open. */
  FILES,
  /** The certificate of the Flight port. */
  TLS,
  /** The server was not told to stop. */
  DRAIN;

  /** The name that scripts, probes and dashboards see, such as {@code s3.put}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT).replaceFirst("_", ".");
  }
}
