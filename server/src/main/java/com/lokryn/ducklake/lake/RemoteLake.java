package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.config.StartException;
import com.lokryn.ducklake.engine.Engine;
import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.NewestSnapshot;
import com.lokryn.ducklake.engine.Sql;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A lake whose catalog is in Postgres and whose data is on S3, shared with other servers and with
 * DuckDB clients. Thread-safe.
 */
public final class RemoteLake implements Lake, AutoCloseable {
  /** What those who maintain a lake are called in Postgres's list of connections. */
  public static final String MAINTENANCE_NAME = "ducklake-flight-maintenance";

  /** For the one who leads, who works, and who asks, and what DuckLake itself takes. */
  private static final int MAINTENANCE_CONNECTIONS = 12;

  private static final String CATALOG_SECRET = "lake_catalog";
  private static final String DATA_SECRET = "lake_data";

  /** How long a statement waits for a connection of the pool, and for S3. */
  private static final List<String> SETTINGS =
      List.of(
          "SET GLOBAL pg_pool_acquire_mode='wait'",
          "SET GLOBAL pg_pool_wait_timeout_millis=10000",
          "SET GLOBAL pg_pool_enable_thread_local_cache=false",
          // Of silence, not of the whole transfer. What cannot be uploaded is tried three times
          // over, so that a silent S3 costs a statement 9 times as long or more.
          "SET GLOBAL http_timeout=3",
          // S3 asks to slow down now and then: again after 250 ms, and after a second.
          "SET GLOBAL http_retries=2",
          "SET GLOBAL http_retry_wait_ms=250",
          "SET GLOBAL http_retry_backoff=4",
          // httpfs copies keys of the environment there when it is loaded, for anyone to read.
          "SET GLOBAL s3_access_key_id=''",
          "SET GLOBAL s3_secret_access_key=''",
          "SET GLOBAL s3_session_token=''");

  /**
   * Transactions that are kept open for the next read take connections of the pool that others may
   * wait for: a small part of them, and for about a second.
   */
  private static final int MOST_KEPT_READS = 8;

  /** Each try waits in Postgres for the transaction that is ahead of it. */
  private static final int MAX_ATTACHES = 10;

  private static final Pattern MADE_BY_ANOTHER =
      Pattern.compile(
          "Failed to initialize DuckLake.*(already exists|duplicate key|deadlock detected"
              + "|could not serialize|concurrently updated)",
          Pattern.DOTALL);

  /** S3's codes. */
  private static final Pattern REFUSED_KEYS =
      Pattern.compile(
          "\\b(ExpiredToken|ExpiredTokenException|TokenRefreshRequired|InvalidToken"
              + "|InvalidAccessKeyId|InvalidClientTokenId|SignatureDoesNotMatch)\\b");

  /** What a refused login comes as; in others the words may be a client's. */
  private static final Set<EngineError> LOGIN_ERRORS =
      Set.of(EngineError.IO, EngineError.CATALOG_LOST, EngineError.COMMIT_LOST);

  private final CatalogQuestion question = new CatalogQuestion(this::catalog);
  private volatile CatalogConnection catalog;
  private final ObjectStore store;
  private final int maxConnections;
  private final boolean mayMake;
  private volatile StorageKeys keys;

  public RemoteLake(PostgresCatalog catalog, ObjectStore store, StorageKeys keys) {
    this(new CatalogConnection(catalog), store, keys, catalog.maxConnections(), true);
  }

  private RemoteLake(
      CatalogConnection catalog,
      ObjectStore store,
      StorageKeys keys,
      int maxConnections,
      boolean mayMake) {
    this.catalog = catalog;
    this.store = store;
    this.keys = keys;
    this.maxConnections = maxConnections;
    this.mayMake = mayMake;
  }

  /**
   * The same for an engine that maintains it: Postgres tells its connections from those of others,
   * and a lake that is not there is not made.
   */
  public RemoteLake forMaintenance() {
    return new RemoteLake(
        new CatalogConnection(catalog.catalog(), MAINTENANCE_NAME),
        store,
        keys,
        MAINTENANCE_CONNECTIONS,
        false);
  }

  @Override
  public List<String> extensions() {
    return List.of("ducklake", "postgres_scanner", "httpfs");
  }

  @Override
  public void prepare() {
    // Postgres says for itself what is missing, when the catalog is attached.
  }

  @Override
  public void attach(Engine engine) throws EngineException {
    for (String setting : SETTINGS) {
      engine.run(setting);
    }
    engine.run("SET GLOBAL pg_pool_max_connections=" + maxConnections());
    engine.run(catalog.createSecret(CATALOG_SECRET));
    putKeys(engine);
    attachOrJoin(
        engine,
        "ATTACH %s AS %s (DATA_PATH %s, META_SECRET %s, CREATE_IF_NOT_EXISTS %s)"
            .formatted(
                Sql.literal("ducklake:postgres:" + catalog.options()),
                LakeCatalog.NAME,
                Sql.literal(dataPath()),
                Sql.literal(CATALOG_SECRET),
                mayMake));
    engine.onLostCatalogConnection(new CatalogPool(engine, maxConnections())::replaceOne);
    engine.keepReads(Math.clamp(maxConnections() / 4, 1, MOST_KEPT_READS));
  }

  /**
   * The first attach makes the lake. Of several servers that start at once only one can: the others
   * fail on its tables, and find the whole lake when they try again.
   */
  private static void attachOrJoin(Engine engine, String attach) throws EngineException {
    for (int attempt = 1; ; attempt++) {
      try {
        engine.run(attach);
        return;
      } catch (EngineException e) {
        if (attempt == MAX_ATTACHES || !MADE_BY_ANOTHER.matcher(e.text()).find()) {
          throw e;
        }
      }
    }
  }

  /** Replaces the way to the catalog; engines that have the lake attached go on with theirs. */
  public void use(PostgresCatalog next) {
    catalog = catalog.to(next);
  }

  /** Where the catalog is, and how it is reached. */
  public PostgresCatalog catalog() {
    return catalog.catalog();
  }

  /** Replaces the credentials for the data; what runs goes on with those it has. */
  public void use(StorageKeys next) {
    keys = next;
  }

  /** Gives an engine the credentials that are in use now. */
  public void putKeys(Engine engine) throws EngineException {
    engine.run(dataSecret(keys));
  }

  /** A query that the catalog's Postgres answers, in the transaction that it is asked in. */
  public static String ask(String postgresSql) {
    return "FROM system.main.postgres_query('__ducklake_metadata_%s', %s)"
        .formatted(LakeCatalog.NAME, Sql.literal(postgresSql));
  }

  /** Statements that the catalog's Postgres runs, in the transaction that they are told in. */
  public static String tell(String postgresSql) {
    return "CALL system.main.postgres_execute('__ducklake_metadata_%s', %s)"
        .formatted(LakeCatalog.NAME, Sql.literal(postgresSql));
  }

  /** Takes a lock of Postgres's until the end of the transaction; the query says whether it did. */
  public static String tryLock(long number) {
    return ask("SELECT pg_try_advisory_xact_lock(%d)".formatted(number));
  }

  /** Did Postgres refuse the user or the password? */
  public static boolean isOfLogin(EngineException failure) {
    return LOGIN_ERRORS.contains(failure.error())
        && RemoteLakeFault.of(failure.text()).filter(RemoteLakeFault.PASSWORD::equals).isPresent();
  }

  /** Did S3 refuse the keys themselves, rather than what they were used for? */
  public static boolean isOfKeys(EngineException failure) {
    return failure.error() == EngineError.HTTP && REFUSED_KEYS.matcher(failure.text()).find();
  }

  /** Does the engine look for inlined rows where they are no longer? */
  public static boolean isStale(EngineException failure) {
    return failure.error() == EngineError.TABLE_STALE
        || failure.error() == EngineError.CATALOG_STALE;
  }

  /**
   * Makes each engine read anew what tables there are. DuckLake keeps that for each version of the
   * schema; but when another client flushes inlined rows, tables go and the version stays.
   */
  public static void changeSchema(Engine engine) throws EngineException {
    String view = LakeCatalog.NAME + ".main.ducklake_flight_schema_change";
    commit(engine, "CREATE OR REPLACE VIEW " + view + " AS SELECT 1 AS unused");
    commit(engine, "DROP VIEW IF EXISTS " + view);
  }

  /** Commits a statement of the server's own under its name. */
  private static void commit(Engine engine, String statement) throws EngineException {
    engine.runTogether(
        statement,
        "CALL system.main.ducklake_set_commit_message('%s', 'ducklake-flight', 'schema read anew')"
            .formatted(LakeCatalog.NAME));
  }

  private String dataSecret(StorageKeys current) {
    var sql =
        new StringBuilder("CREATE OR REPLACE SECRET ")
            .append(DATA_SECRET)
            .append(" (TYPE s3, SCOPE ")
            .append(Sql.literal("s3://" + store.location().bucket() + "/"))
            .append(", REGION ")
            .append(Sql.literal(store.region()))
            .append(", KEY_ID ")
            .append(Sql.literal(current.accessKeyId()))
            .append(", SECRET ")
            .append(Sql.literal(current.secretAccessKey().reveal()));
    current
        .sessionToken()
        .ifPresent(token -> sql.append(", SESSION_TOKEN ").append(Sql.literal(token.reveal())));
    store.endpoint().ifPresent(endpoint -> sql.append(endpointOptions(endpoint)));
    return sql.append(")").toString();
  }

  private static String endpointOptions(URI endpoint) {
    return ", URL_STYLE 'path', ENDPOINT %s, USE_SSL %s"
        .formatted(Sql.literal(endpoint.getAuthority()), endpoint.getScheme().equals("https"));
  }

  @Override
  public String dataPath() {
    return store.location().url();
  }

  @Override
  public int maxConnections() {
    return maxConnections;
  }

  @Override
  public Optional<NewestSnapshot> newestSnapshot() {
    return Optional.of(question);
  }

  /** Lets go of what it asks the catalog by itself; engines that have it attached go on. */
  @Override
  public void close() {
    question.close();
  }

  @Override
  public StartException explain(EngineException failure) {
    return new StartException(catalog.problem(failure, dataPath()));
  }
}
