package com.lokryn.ducklake.doctor;

import static com.lokryn.ducklake.observe.CheckId.*;

import com.lokryn.ducklake.aws.Permission;
import com.lokryn.ducklake.config.Settings;
import com.lokryn.ducklake.lake.CatalogChecks;
import com.lokryn.ducklake.observe.CheckId;
import java.util.List;
import java.util.Set;

/** The table of checks. */
public final class Checks {
  /** All of them, in the order in which they are shown. */
  public static final List<Check> ALL =
      List.of(
          Check.of(
              CONFIGURATION,
              "the settings are complete and of the right form",
              ConfigurationChecks::settings),
          Check.of(USERS, "the users in flight_users can be used", ConfigurationChecks::users),
          Check.of(
              JWT_JWKS,
              "the identity provider's keys can be fetched and used",
              ConfigurationChecks::providerKeys),
          Check.of(
              CREDENTIALS,
              "the process has AWS credentials",
              subject -> subject.clients().tryCredentials()),
          Check.of(
                  SECRET_READ,
                  "the secret with the configuration can be read",
                  ConfigurationChecks::secret)
              .allowedBy(Permission.GET_SECRET_VALUE, Permission.DECRYPT_SECRET),
          Check.of(
                  SECRET_KMS,
                  "the key that the secret is encrypted with can be used",
                  ConfigurationChecks::secretKey)
              .allowedBy(Permission.GET_SECRET_VALUE, Permission.DECRYPT_SECRET),
          Check.of(CLOCK, "the clock is right", subject -> subject.s3().clock())
              .with(Settings.S3_BUCKET_URL, Settings.AWS_REGION)
              .needing(CREDENTIALS)
              .after(S3_LOCATION),
          Check.of(
                  METERING_REGISTER,
                  "starts can be registered with AWS Marketplace",
                  MeteringChecks::register)
              .allowedBy(Permission.REGISTER_USAGE)
              .needing(CREDENTIALS),
          Check.of(
                  METERING_USAGE, "usage can be reported to AWS Marketplace", MeteringChecks::usage)
              .allowedBy(Permission.METER_USAGE)
              .needing(CREDENTIALS),
          Check.of(S3_LOCATION, "the bucket is in aws_region", subject -> subject.s3().location())
              .with(Settings.S3_BUCKET_URL, Settings.AWS_REGION)
              .needing(CREDENTIALS),
          Check.of(S3_LIST, "the lake's objects can be listed", subject -> subject.s3().list())
              .allowedBy(Permission.LIST_BUCKET)
              .with(Settings.S3_BUCKET_URL, Settings.AWS_REGION)
              .needing(CREDENTIALS),
          Check.of(S3_PUT, "objects can be written", subject -> subject.s3().put())
              .allowedBy(Permission.PUT_OBJECT, Permission.ENCRYPT_OBJECT)
              .with(Settings.S3_BUCKET_URL, Settings.AWS_REGION)
              .needing(CREDENTIALS),
          Check.of(S3_GET, "objects can be read", subject -> subject.s3().get())
              .allowedBy(Permission.GET_OBJECT, Permission.DECRYPT_OBJECT)
              .with(Settings.S3_BUCKET_URL, Settings.AWS_REGION)
              .needing(CREDENTIALS)
              .after(S3_PUT),
          Check.of(S3_DELETE, "objects can be deleted", subject -> subject.s3().delete())
              .allowedBy(Permission.DELETE_OBJECT)
              .with(Settings.S3_BUCKET_URL, Settings.AWS_REGION)
              .needing(CREDENTIALS)
              .after(S3_PUT, S3_GET),
          Check.of(
                  S3_MULTIPART,
                  "large objects can be written in parts, and given up",
                  subject -> subject.s3().multipart())
              .allowedBy(
                  Permission.PUT_OBJECT,
                  Permission.ABORT_MULTIPART_UPLOAD,
                  Permission.ENCRYPT_OBJECT,
                  Permission.DECRYPT_OBJECT)
              .with(Settings.S3_BUCKET_URL, Settings.AWS_REGION)
              .needing(CREDENTIALS),
          Check.of(
                  S3_KMS,
                  "the key that the bucket is encrypted with can be used",
                  subject -> subject.s3().encryption())
              .allowedBy(
                  Permission.PUT_OBJECT, Permission.ENCRYPT_OBJECT, Permission.DECRYPT_OBJECT)
              .with(Settings.S3_BUCKET_URL, Settings.AWS_REGION)
              .needing(CREDENTIALS)
              .after(S3_PUT, S3_GET, S3_MULTIPART),
          Check.of(POSTGRES_REACH, "Postgres can be reached", subject -> subject.catalog().reach())
              .with(
                  Settings.POSTGRES_USER,
                  Settings.POSTGRES_PASSWORD,
                  Settings.POSTGRES_DB,
                  Settings.POSTGRES_HOST,
                  Settings.POSTGRES_PORT,
                  Settings.POSTGRES_SSLMODE),
          Check.of(
                  POSTGRES_TLS,
                  "the connection is secured as postgres_sslmode asks",
                  subject -> subject.catalog().tls())
              .needing(POSTGRES_REACH)
              .after(POSTGRES_LOGIN),
          Check.of(
                  POSTGRES_LOGIN,
                  "Postgres takes user, password and database",
                  subject -> subject.catalog().login())
              .needing(POSTGRES_REACH, ENGINE),
          Check.of(
                  POSTGRES_CREATE,
                  "the catalog's tables can be made",
                  subject -> subject.catalog().create())
              .needing(POSTGRES_LOGIN),
          Check.of(
                  POSTGRES_VERSION,
                  "Postgres is new enough",
                  subject -> subject.catalog().version())
              .needing(POSTGRES_LOGIN),
          Check.of(
              ENGINE,
              "DuckDB opens and its extensions are there",
              subject ->
                  CatalogChecks.engine(
                      subject.extensions(), subject.smallEngine(), subject.allocator())),
          Check.of(
                  CATALOG,
                  "the lake can be attached",
                  subject ->
                      subject.catalog().attach(subject.config().get(Settings.S3_BUCKET_URL).url()))
              .with(Settings.S3_BUCKET_URL)
              .needing(POSTGRES_LOGIN),
          Check.of(SPILL, "the engine can spill to disk", MachineChecks::spill),
          Check.of(MEMORY, "there is memory for what memory_limit allows", MachineChecks::memory),
          Check.of(FILES, "enough files and connections can be open", MachineChecks::files),
          Check.of(
              TLS, "the certificate of the Flight port can be used", ConfigurationChecks::tls));

  /** What every start tries of the machine; the rest comes as the server is made. */
  public static List<Check> ofMachine() {
    return ALL.stream().filter(check -> MACHINE.contains(check.id())).toList();
  }

  private static final Set<CheckId> MACHINE = Set.of(SPILL, MEMORY, FILES);

  private Checks() {}
}
