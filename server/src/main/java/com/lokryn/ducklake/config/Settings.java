package com.lokryn.ducklake.config;

import java.net.URI;
import java.nio.file.Path;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** The table of settings: all that can be set, once. */
public final class Settings {
  /** How clients show who they are. */
  public enum Auth {
    BASIC,
    NONE
  }

  /** From where the console can be reached. */
  public enum HttpConsole {
    OFF,
    LOOPBACK,
    ANY
  }

  /** What the certificate of a client says of who it is. */
  public enum ClientIdentity {
    /** Nothing: it opens the connection only. */
    OFF,
    /** Its common name is that of a user. */
    SUBJECT
  }

  /** What the log looks like. */
  public enum LogFormat {
    TEXT,
    JSON
  }

  /** From which weight on an event is logged. */
  public enum LogLevel {
    DEBUG,
    INFO,
    WARN,
    ERROR
  }

  /** What a product with a dimension of its own is paid by. */
  public enum UsageUnit {
    /** Seconds that statements were at work in the engine, added up over all of them. */
    QUERY_SECONDS,
    /** Units of 2^30 bytes of Arrow batches that were sent to clients. */
    GIB_STREAMED
  }

  /** How the connection to Postgres is secured, as libpq names it. */
  public enum SslMode {
    DISABLE,
    ALLOW,
    PREFER,
    REQUIRE,
    VERIFY_CA,
    VERIFY_FULL;

    /** The name that libpq knows. */
    public String libpqName() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  public static final Setting<String> POSTGRES_USER =
      Setting.required("postgres_user", ValueType.text(), "user of the lake's catalog in Postgres");

  public static final Setting<SecretText> POSTGRES_PASSWORD =
      Setting.required("postgres_password", ValueType.secret(), "that user's password").hidden();

  public static final Setting<String> POSTGRES_DB =
      Setting.required("postgres_db", ValueType.text(), "database of the lake's catalog");

  public static final Setting<S3Location> S3_BUCKET_URL =
      Setting.required(
          "s3_bucket_url",
          ValueType.s3Location(),
          "where the lake's data is: s3://bucket, which means s3://bucket/data/, or"
              + " s3://bucket/path/");

  public static final Setting<String> AWS_REGION =
      Setting.required("aws_region", ValueType.region(), "the bucket's region");

  public static final Setting<String> POSTGRES_HOST =
      Setting.of(
              "postgres_host",
              ValueType.text(),
              "localhost",
              "localhost",
              "machine that Postgres is on")
          .inProduction();

  public static final Setting<Integer> POSTGRES_PORT =
      Setting.of("postgres_port", ValueType.number(1, 65_535), 5_432, "5432", "port of Postgres")
          .inProduction();

  public static final Setting<SslMode> POSTGRES_SSLMODE =
      Setting.of(
              "postgres_sslmode",
              ValueType.oneOf(SslMode.class),
              SslMode.PREFER,
              "prefer",
              "disable, allow, prefer, require, verify-ca or verify-full")
          .inProduction();

  public static final Setting<String> DUCKLAKE_SECRET_ID =
      Setting.of(
              "ducklake_secret_id",
              ValueType.secretId(),
              "lokryn/ducklake/config",
              "lokryn/ducklake/config",
              "name or ARN of the secret with the configuration; not in a file or the secret")
          .inProduction()
          .outsideOfSources();

  public static final Setting<String> MARKETPLACE_PRODUCT_CODE =
      Setting.optional(
              "marketplace_product_code",
              ValueType.marketplaceName(),
              "off",
              "registers each start with AWS Marketplace as a use of the product with this code")
          .inProduction();

  public static final Setting<Integer> MARKETPLACE_PUBLIC_KEY_VERSION =
      Setting.of(
              "marketplace_public_key_version",
              ValueType.number(1, Integer.MAX_VALUE),
              1,
              "1",
              "version of the product's public key, as the seller's portal names it")
          .inProduction();

  public static final Setting<RSAPublicKey> MARKETPLACE_PUBLIC_KEY =
      Setting.optional(
              "marketplace_public_key",
              ValueType.publicKey(),
              "none: the answer is not verified",
              "the product's public key, as PEM text or a file with it; AWS Marketplace's answer must"
                  + " be signed with it")
          .inProduction();

  public static final Setting<String> MARKETPLACE_USAGE_DIMENSION =
      Setting.optional(
              "marketplace_usage_dimension",
              ValueType.marketplaceName(),
              "off",
              "dimension of the product that usage is reported for each hour")
          .inProduction();

  public static final Setting<UsageUnit> MARKETPLACE_USAGE_UNIT =
      Setting.optional(
              "marketplace_usage_unit",
              ValueType.oneOfWords(UsageUnit.class),
              "required with marketplace_usage_dimension",
              "what that dimension counts: query_seconds or gib_streamed")
          .inProduction();

  public static final Setting<String> FLIGHT_HOST =
      Setting.optional(
          "flight_host",
          ValueType.text(),
          "0.0.0.0; with --local 127.0.0.1",
          "address to listen on");

  public static final Setting<Integer> FLIGHT_PORT =
      Setting.of(
          "flight_port",
          ValueType.number(0, 65_535),
          31_337,
          "31337",
          "port to listen on; 0 takes any free one");

  public static final Setting<Integer> HTTP_PORT =
      Setting.optional(
          "http_port",
          ValueType.number(0, 65_535),
          "8080; with --local 0",
          "port of /livez, /readyz, /metrics and /console on flight_host; 0 turns it off");

  public static final Setting<HttpConsole> HTTP_CONSOLE =
      Setting.of(
          "http_console",
          ValueType.oneOf(HttpConsole.class),
          HttpConsole.LOOPBACK,
          "loopback",
          "who reaches /console: loopback for its own machine and tunnels to it, any for others too,"
              + " behind something that speaks TLS; or off");

  public static final Setting<Auth> FLIGHT_AUTH =
      Setting.optional(
          "flight_auth",
          ValueType.oneOf(Auth.class),
          "basic; with --local on a loopback address none",
          "how clients show who they are: basic, or none for anyone who reaches the port");

  public static final Setting<List<FlightUser>> FLIGHT_USERS =
      Setting.optional(
              "flight_users",
              ValueType.flightUsers(),
              "postgres_user with postgres_password; with --local or flight_jwt_issuer nobody",
              "who may log in: a JSON array of {\"name\", \"password_hash\", \"role\", \"grants\"}")
          .hidden();

  public static final Setting<SecretText> FLIGHT_TOKEN_SECRET =
      Setting.optional(
              "flight_token_secret",
              ValueType.longSecret(),
              "random for each process",
              "signs session tokens, tickets and handles: servers of a lake that have the same one take"
                  + " each other's")
          .hidden();

  public static final Setting<Duration> FLIGHT_TOKEN_TTL =
      Setting.of(
          "flight_token_ttl",
          ValueType.duration(Duration.ofSeconds(1), Duration.ofDays(365)),
          Duration.ofHours(1),
          "1h",
          "how long the token is good that a login answers");

  public static final Setting<String> FLIGHT_JWT_ISSUER =
      Setting.optional(
          "flight_jwt_issuer",
          ValueType.text(),
          "off",
          "identity provider whose tokens are taken: what they have as iss");

  public static final Setting<String> FLIGHT_JWT_AUDIENCE =
      Setting.optional(
          "flight_jwt_audience",
          ValueType.text(),
          "required with flight_jwt_issuer",
          "what its tokens for this server have as aud");

  public static final Setting<URI> FLIGHT_JWT_JWKS_URL =
      Setting.optional(
          "flight_jwt_jwks_url",
          ValueType.keysUrl(),
          "required with flight_jwt_issuer",
          "where the provider publishes its keys: an https address");

  public static final Setting<String> FLIGHT_JWT_USER_CLAIM =
      Setting.of(
          "flight_jwt_user_claim",
          ValueType.claim(),
          "sub",
          "sub",
          "claim of its tokens with the user's name, which gets jwt: before it");

  public static final Setting<String> FLIGHT_JWT_ROLE_CLAIM =
      Setting.of(
          "flight_jwt_role_claim",
          ValueType.claim(),
          "role",
          "role",
          "claim with the role, or with a list of which the highest counts; realm_access.roles for"
              + " one inside of another");

  public static final Setting<String> FLIGHT_JWT_GRANTS_CLAIM =
      Setting.of(
          "flight_jwt_grants_claim",
          ValueType.claim(),
          "grants",
          "grants",
          "claim with grants as in flight_users, if the token has it");

  public static final Setting<Path> FLIGHT_TLS_CERTIFICATE =
      Setting.optional(
          "flight_tls_certificate",
          ValueType.path(),
          "off: no TLS",
          "PEM file of the server's certificate, with those between it and its authority");

  public static final Setting<Path> FLIGHT_TLS_PRIVATE_KEY =
      Setting.optional(
          "flight_tls_private_key",
          ValueType.path(),
          "required with flight_tls_certificate",
          "PEM file of that certificate's private key");

  public static final Setting<Path> FLIGHT_TLS_CLIENT_CA =
      Setting.optional(
          "flight_tls_client_ca",
          ValueType.path(),
          "off: clients need no certificate",
          "PEM file of the authorities that sign the certificates which clients must have");

  public static final Setting<ClientIdentity> FLIGHT_TLS_CLIENT_IDENTITY =
      Setting.of(
          "flight_tls_client_identity",
          ValueType.oneOf(ClientIdentity.class),
          ClientIdentity.OFF,
          "off",
          "off, or subject: the common name of a client's certificate is that of a user, who needs no"
              + " password");

  public static final Setting<Integer> MAX_CONNECTIONS =
      Setting.of(
          "max_connections",
          ValueType.number(1, 100_000),
          200,
          "200",
          "connections of clients that are logged in, of one user three quarters; calls on more are"
              + " refused");

  public static final Setting<Integer> MAX_CONCURRENT_QUERIES =
      Setting.optional(
          "max_concurrent_queries",
          ValueType.number(1, 10_000),
          "8 per processor, 16 at least",
          "statements that are planned or executed at once; more wait");

  public static final Setting<Duration> QUEUE_TIMEOUT =
      Setting.of(
          "queue_timeout",
          ValueType.duration(),
          Duration.ofSeconds(30),
          "30s",
          "a statement that has waited for its turn this long is refused");

  public static final Setting<Duration> QUERY_TIMEOUT =
      Setting.of(
          "query_timeout",
          ValueType.duration(),
          Duration.ofHours(1),
          "1h",
          "a statement, with the sending of its result, is ended after this time");

  public static final Setting<DataSize> RESULT_CACHE_SIZE =
      Setting.of(
          "result_cache_size",
          ValueType.size(),
          new DataSize(32_000_000),
          "32MB",
          "memory for results that are given again while the lake is unchanged; 0B keeps none");

  public static final Setting<DataSize> MAX_RESULT_BYTES =
      Setting.of(
          "max_result_bytes",
          ValueType.size(),
          new DataSize(100_000_000_000L),
          "100GB",
          "a result is ended with an error when more than this of it was made");

  public static final Setting<Duration> IDLE_SESSION_TIMEOUT =
      Setting.of(
          "idle_session_timeout",
          ValueType.duration(),
          Duration.ofMinutes(30),
          "30m",
          "a session, a transaction, a prepared statement or a result that its client does not use"
              + " is ended after this time");

  public static final Setting<Duration> DRAIN_DELAY =
      Setting.optional(
          "drain_delay",
          ValueType.duration(),
          "15s; with --local 0s",
          "how long a server that is told to stop, and not ready from then on, takes new statements");

  public static final Setting<Duration> DRAIN_TIMEOUT =
      Setting.of(
          "drain_timeout",
          ValueType.duration(),
          Duration.ofSeconds(25),
          "25s",
          "how long statements that run after drain_delay may go on when the server is told to stop");

  public static final Setting<DataSize> MEMORY_LIMIT =
      Setting.optional(
          "memory_limit",
          ValueType.size(),
          "60 % of the memory there is, and at most all but 760 MB",
          "what the engine may hold in memory before it spills");

  public static final Setting<Integer> THREADS =
      Setting.optional(
          "threads", ValueType.number(1, 1_024), "one per processor", "threads of the engine");

  public static final Setting<Path> TEMP_DIRECTORY =
      Setting.optional(
          "temp_directory",
          ValueType.path(),
          "below the system's directory for temporary files",
          "where the engine spills what memory does not hold");

  public static final Setting<DataSize> MAX_TEMP_DIRECTORY_SIZE =
      Setting.optional(
          "max_temp_directory_size",
          ValueType.size(),
          "90 % of the free disk",
          "how much the engine may spill");

  public static final Setting<Duration> SNAPSHOT_RETENTION =
      Setting.of(
          "snapshot_retention",
          ValueType.duration(),
          Duration.ofDays(7),
          "7d",
          "how far back the lake can be queried as it was; maintenance expires what is older");

  public static final Setting<DataSize> COMPACTION_TARGET_FILE_SIZE =
      Setting.of(
          "compaction_target_file_size",
          ValueType.size(),
          new DataSize(128_000_000),
          "128MB",
          "how large the files get that maintenance merges small ones into");

  public static final Setting<Duration> MAINTENANCE_INTERVAL =
      Setting.optional(
              "maintenance_interval",
              ValueType.duration(Duration.ofSeconds(1), Duration.ofDays(30)),
              "off: run maintain as its own task",
              "has servers maintain the lake so often, one of them at a time")
          .inProduction();

  public static final Setting<LogFormat> LOG_FORMAT =
      Setting.of(
          "log_format",
          ValueType.oneOf(LogFormat.class),
          LogFormat.TEXT,
          "text",
          "text, or json with one object a line");

  public static final Setting<LogLevel> LOG_LEVEL =
      Setting.of(
          "log_level",
          ValueType.oneOf(LogLevel.class),
          LogLevel.INFO,
          "info",
          "debug, info, warn or error");

  public static final Setting<Boolean> LOG_SQL =
      Setting.of(
          "log_sql",
          ValueType.flag(),
          false,
          "false",
          "true writes statements into the log, with the values in them");

  public static final Setting<URI> OTLP_ENDPOINT =
      Setting.optional(
          "otlp_endpoint",
          ValueType.httpUrl(),
          "OTEL_EXPORTER_OTLP_ENDPOINT; off where neither is set",
          "address of an OpenTelemetry collector that gets traces, by OTLP over HTTP");

  public static final List<Setting<?>> ALL =
      List.of(
          POSTGRES_USER,
          POSTGRES_PASSWORD,
          POSTGRES_DB,
          S3_BUCKET_URL,
          AWS_REGION,
          POSTGRES_HOST,
          POSTGRES_PORT,
          POSTGRES_SSLMODE,
          DUCKLAKE_SECRET_ID,
          MARKETPLACE_PRODUCT_CODE,
          MARKETPLACE_PUBLIC_KEY_VERSION,
          MARKETPLACE_PUBLIC_KEY,
          MARKETPLACE_USAGE_DIMENSION,
          MARKETPLACE_USAGE_UNIT,
          FLIGHT_HOST,
          FLIGHT_PORT,
          HTTP_PORT,
          HTTP_CONSOLE,
          FLIGHT_AUTH,
          FLIGHT_USERS,
          FLIGHT_TOKEN_SECRET,
          FLIGHT_TOKEN_TTL,
          FLIGHT_JWT_ISSUER,
          FLIGHT_JWT_AUDIENCE,
          FLIGHT_JWT_JWKS_URL,
          FLIGHT_JWT_USER_CLAIM,
          FLIGHT_JWT_ROLE_CLAIM,
          FLIGHT_JWT_GRANTS_CLAIM,
          FLIGHT_TLS_CERTIFICATE,
          FLIGHT_TLS_PRIVATE_KEY,
          FLIGHT_TLS_CLIENT_CA,
          FLIGHT_TLS_CLIENT_IDENTITY,
          MAX_CONNECTIONS,
          MAX_CONCURRENT_QUERIES,
          QUEUE_TIMEOUT,
          QUERY_TIMEOUT,
          MAX_RESULT_BYTES,
          RESULT_CACHE_SIZE,
          IDLE_SESSION_TIMEOUT,
          DRAIN_DELAY,
          DRAIN_TIMEOUT,
          MEMORY_LIMIT,
          THREADS,
          TEMP_DIRECTORY,
          MAX_TEMP_DIRECTORY_SIZE,
          SNAPSHOT_RETENTION,
          COMPACTION_TARGET_FILE_SIZE,
          MAINTENANCE_INTERVAL,
          LOG_FORMAT,
          LOG_LEVEL,
          LOG_SQL,
          OTLP_ENDPOINT);

  /** Settings that mean nothing without another: the first of each pair needs the second. */
  private static final List<Map.Entry<Setting<?>, Setting<?>>> PAIRS =
      List.of(
          Map.entry(MARKETPLACE_USAGE_DIMENSION, MARKETPLACE_USAGE_UNIT),
          Map.entry(MARKETPLACE_USAGE_UNIT, MARKETPLACE_USAGE_DIMENSION),
          Map.entry(MARKETPLACE_USAGE_DIMENSION, MARKETPLACE_PRODUCT_CODE),
          Map.entry(MARKETPLACE_PUBLIC_KEY, MARKETPLACE_PRODUCT_CODE),
          Map.entry(FLIGHT_JWT_ISSUER, FLIGHT_JWT_AUDIENCE),
          Map.entry(FLIGHT_JWT_ISSUER, FLIGHT_JWT_JWKS_URL),
          Map.entry(FLIGHT_JWT_AUDIENCE, FLIGHT_JWT_ISSUER),
          Map.entry(FLIGHT_JWT_JWKS_URL, FLIGHT_JWT_ISSUER),
          Map.entry(FLIGHT_TLS_CERTIFICATE, FLIGHT_TLS_PRIVATE_KEY),
          Map.entry(FLIGHT_TLS_PRIVATE_KEY, FLIGHT_TLS_CERTIFICATE),
          Map.entry(FLIGHT_TLS_CLIENT_CA, FLIGHT_TLS_CERTIFICATE));

  private Settings() {}

  /**
   * What is set without that which it needs, in sentences.
   *
   * @param isSet asked of each setting, also of those whose value is refused
   */
  static List<String> lonely(Predicate<Setting<?>> isSet) {
    return PAIRS.stream()
        .filter(pair -> isSet.test(pair.getKey()) && !isSet.test(pair.getValue()))
        .map(
            pair ->
                "%s needs %s: set both or none"
                    .formatted(pair.getKey().key(), pair.getValue().key()))
        .toList();
  }

  static Optional<Setting<?>> byKey(String key) {
    return ALL.stream().filter(setting -> setting.key().equals(key)).findFirst();
  }

  /** The key that takes the fewest changes to become. */
  static String nearest(String key) {
    return ALL.stream()
        .map(Setting::key)
        .min(Comparator.comparingInt(known -> distance(known, key)))
        .orElseThrow();
  }

  private static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(change, Math.min(previous[j], current[j - 1]) + 1);
      }
      previous = current;
    }
    return previous[b.length()];
  }
}
