package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What can be wrong with a lake in Postgres and S3, known by Postgres's, DuckLake's or S3's own
 * words, and what an operator does about it.
 */
enum RemoteLakeFault {
  PASSWORD(
      Kind.PERMISSION,
      "Postgres at %1$s refuses the login",
      "check postgres_user and postgres_password",
      "password authentication failed",
      "no password supplied",
      "pg_hba.conf",
      "role \"",
      "authentication failed"),
  DATABASE(
      Kind.CONFIGURATION,
      "Postgres at %1$s has no database %2$s",
      "create it (CREATE DATABASE), or correct postgres_db",
      "database \"",
      "does not exist"),
  NO_TLS(
      Kind.CONFIGURATION,
      "Postgres at %1$s takes no TLS connections",
      "turn TLS on in Postgres, or set postgres_sslmode to prefer or disable",
      "server does not support SSL"),
  CERTIFICATE(
      Kind.CONFIGURATION,
      "the certificate of Postgres at %1$s is not trusted",
      "give its authority's certificate in PGSSLROOTCERT, or set postgres_sslmode to require",
      "certificate"),
  CONNECT_RIGHT(
      Kind.PERMISSION,
      "the user %3$s may not connect to the database %2$s",
      "grant it: GRANT CONNECT ON DATABASE",
      "does not have CONNECT privilege"),
  CREATE_RIGHT(
      Kind.PERMISSION,
      "the user %3$s may not make the catalog's tables in the database %2$s",
      "grant it: GRANT CREATE ON DATABASE and ON SCHEMA public, or make it the database's owner",
      "permission denied"),
  READ_ONLY(
      Kind.PERMISSION,
      "Postgres at %1$s is read-only",
      "let postgres_host name the primary, not a replica",
      "read-only transaction",
      "hot standby"),
  DATA_PATH(
      Kind.CONFIGURATION,
      "the lake in the database %2$s has its data elsewhere than in %4$s",
      "correct s3_bucket_url, or take another postgres_db for a new lake",
      "does not match existing data path"),
  VERSION(
      Kind.DEPENDENCY,
      "the lake in the database %2$s was written by another version of DuckLake",
      "serve it with the version of ducklake-flight that fits, or migrate it with DuckDB"
          + " (AUTOMATIC_MIGRATION) after a backup",
      "DuckLake catalog version"),
  CONNECTIONS(
      Kind.DEPENDENCY,
      "Postgres at %1$s has no connection left",
      "raise max_connections there, or stop what holds its connections",
      "too many clients",
      "remaining connection slots",
      "too many connections"),
  CLOSED(
      Kind.DEPENDENCY,
      "Postgres at %1$s lets nobody into the database %2$s",
      "ALTER DATABASE ... ALLOW_CONNECTIONS true, or correct postgres_db",
      "not currently accepting connections"),
  HOST(
      Kind.DEPENDENCY,
      "the host of Postgres is not known",
      "check postgres_host",
      "could not translate host name"),
  UNREACHABLE(
      Kind.DEPENDENCY,
      "Postgres at %1$s cannot be reached",
      "check postgres_host and postgres_port, and that security groups let this task in",
      "Connection refused",
      "timeout expired",
      "No route to host",
      "Network is unreachable",
      "Unable to connect to Postgres",
      "server closed the connection",
      "the database system is");

  private final Kind kind;
  private final String what;
  private final String remedy;

  @SuppressWarnings("ImmutableEnumChecker") // List.of is immutable, its type does not say so
  private final List<String> words;

  RemoteLakeFault(Kind kind, String what, String remedy, String... words) {
    this.kind = kind;
    this.what = what;
    this.remedy = remedy;
    this.words = List.of(words);
  }

  static Optional<RemoteLakeFault> of(String text) {
    return Arrays.stream(values()).filter(fault -> fault.matches(text)).findFirst();
  }

  private boolean matches(String text) {
    return this == DATABASE
        ? words.stream().allMatch(text::contains)
        : words.stream().anyMatch(text::contains);
  }

  StartProblem problem(String text, String where, PostgresCatalog catalog, String data) {
    return new StartProblem(
        kind,
        what.formatted(where, catalog.database(), catalog.user(), data) + ": " + text,
        remedy);
  }
}
