package com.lokryn.ducklake.lake;

import com.lokryn.ducklake.config.Finding;
import com.lokryn.ducklake.config.Finding.Failed;
import com.lokryn.ducklake.config.Finding.Passed;
import com.lokryn.ducklake.config.Finding.Untried;
import com.lokryn.ducklake.config.StartProblem;
import com.lokryn.ducklake.config.StartProblem.Kind;
import com.lokryn.ducklake.engine.Engine;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineOptions;
import com.lokryn.ducklake.engine.Extensions;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.Sql;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Tries what the server does with the lake's catalog in Postgres, through an engine of its own, as
 * the server would. Nothing that lasts is changed. {@link #login} comes before what needs a
 * connection. Thread-safe.
 */
public final class CatalogChecks implements AutoCloseable {
  private static final Namespace BARE = new Namespace("memory", "main");
  private static final String SECRET = "catalog_check";
  private static final String POSTGRES = "catalog_check";
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /** A request for TLS, as the protocol of Postgres has it since 7.1. */
  private static final byte[] SSL_REQUEST =
      ByteBuffer.allocate(8).putInt(8).putInt(80_877_103).array();

  /** The oldest that the README promises. */
  private static final int LEAST_VERSION = 12;

  private final CatalogConnection catalog;
  private final Extensions extensions;
  private final EngineOptions options;
  private final BufferAllocator allocator;
  private final RandomGenerator random;

  private volatile @Nullable Engine engine;
  private volatile @Nullable EngineException refusal;

  /**
   * @param options of the engine, which does next to nothing
   * @param random gives the name of a table that is never committed
   */
  public CatalogChecks(
      PostgresCatalog catalog,
      Extensions extensions,
      EngineOptions options,
      BufferAllocator allocator,
      RandomGenerator random) {
    this.catalog = new CatalogConnection(catalog);
    this.extensions = extensions;
    this.options = options;
    this.allocator = allocator;
    this.random = random;
  }

  /** Does an engine open, and are its extensions there? */
  public static Finding engine(
      Extensions extensions, EngineOptions options, BufferAllocator allocator) {
    Optional<StartProblem> missing = LakeCatalog.missing(Extensions.NEEDED, extensions);
    if (missing.isPresent()) {
      return new Failed(missing.get());
    }
    try (var engine = Engine.open(options, BARE, allocator)) {
      load(engine, extensions);
      return new Passed("DuckDB " + Extensions.ENGINE_VERSION);
    } catch (EngineException e) {
      return new Failed(
          new StartProblem(
              Kind.DEPENDENCY,
              "the engine does not open: " + e.text(),
              "run 'ducklake-flight extensions install' again"));
    }
  }

  private static void load(Engine engine, Extensions extensions) throws EngineException {
    for (String extension : Extensions.NEEDED) {
      engine.run(extensions.load(extension));
    }
  }

  /** Does anything listen there? */
  public Finding reach() {
    if (isSocketFile()) {
      return new Passed("a socket of this machine");
    }
    IOException last = new IOException("it has no address");
    try {
      for (InetAddress address : InetAddress.getAllByName(catalog.catalog().host())) {
        try (var socket = new Socket()) {
          connect(socket, address);
          return new Passed("%s answers".formatted(catalog.where()));
        } catch (IOException e) {
          last = e;
        }
      }
    } catch (UnknownHostException e) {
      return failed(RemoteLakeFault.HOST, String.valueOf(e.getMessage()));
    }
    return failed(RemoteLakeFault.UNREACHABLE, String.valueOf(last.getMessage()));
  }

  private Failed failed(RemoteLakeFault fault, String text) {
    return new Failed(fault.problem(text, catalog.where(), catalog.catalog(), ""));
  }

  private boolean isSocketFile() {
    return catalog.catalog().host().startsWith("/");
  }

  private void connect(Socket socket, InetAddress address) throws IOException {
    int timeout = Math.toIntExact(CONNECT_TIMEOUT.toMillis());
    socket.connect(new InetSocketAddress(address, catalog.catalog().port()), timeout);
    socket.setSoTimeout(timeout);
  }

  /** Does Postgres take user, password and database? */
  public Finding login() {
    Engine opened = null;
    try {
      opened = Engine.open(options, BARE, allocator);
      load(opened, extensions);
      opened.run(catalog.createSecret(SECRET));
      opened.run(
          "ATTACH %s AS %s (TYPE postgres, SECRET %s)"
              .formatted(Sql.literal(catalog.options()), POSTGRES, Sql.literal(SECRET)));
      String user = ask(opened, "SELECT current_user::text").getFirst();
      engine = opened;
      opened = null;
      return new Passed("%s in the database %s".formatted(user, catalog.catalog().database()));
    } catch (EngineException e) {
      refusal = e;
      return isOfTls(e)
          ? new Untried("the connection is not secured as postgres_sslmode asks")
          : new Failed(catalog.problem(e, ""));
    } finally {
      if (opened != null) {
        opened.close();
      }
    }
  }

  private boolean isOfTls(EngineException e) {
    return catalog
        .fault(e)
        .filter(fault -> fault == RemoteLakeFault.NO_TLS || fault == RemoteLakeFault.CERTIFICATE)
        .isPresent();
  }

  /** Is the connection secured as {@code postgres_sslmode} asks? After {@link #login}. */
  public Finding tls() {
    EngineException refused = refusal;
    if (refused != null && isOfTls(refused)) {
      return new Failed(catalog.problem(refused, ""));
    }
    if (isSocketFile()) {
      return new Finding.Unneeded("a socket of this machine");
    }
    String mode = "postgres_sslmode is " + catalog.catalog().sslMode();
    return withConnection(
        connection -> {
          List<String> row =
              ask(
                  connection,
                  "SELECT ssl::text, version, cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
          return row.getFirst().equals("true")
              ? new Passed("%s, %s; %s".formatted(row.get(1), row.get(2), mode))
              : new Passed("NOT encrypted; " + mode);
        },
        () -> offersTls(mode));
  }

  /** What can be known without a login. */
  private Finding offersTls(String mode) {
    try (var socket = new Socket()) {
      connect(socket, InetAddress.getByName(catalog.catalog().host()));
      socket.getOutputStream().write(SSL_REQUEST);
      return socket.getInputStream().read() == 'S'
          ? new Passed("Postgres offers it; " + mode)
          : new Passed("Postgres does not offer it; " + mode);
    } catch (IOException e) {
      return new Untried("Postgres did not say: " + e.getMessage());
    }
  }

  /** May tables be made where the catalog's are? One is, and taken back. After {@link #login}. */
  public Finding create() {
    String table = "public.ducklake_flight_check_%016x".formatted(random.nextLong());
    return withConnection(
        connection -> {
          connection.run("BEGIN");
          try {
            connection.run(
                "CALL postgres_execute('%s', 'CREATE TABLE %s (i int)')"
                    .formatted(POSTGRES, table));
          } finally {
            connection.run("ROLLBACK");
          }
          return new Passed("in the schema public");
        },
        CatalogChecks::noLogin);
  }

  /** Is Postgres new enough? After {@link #login}. */
  public Finding version() {
    return withConnection(
        connection -> {
          String version = ask(connection, "SELECT current_setting('server_version')").getFirst();
          int major = Integer.parseInt(version.replaceFirst("\\D.*", ""));
          return major >= LEAST_VERSION
              ? new Passed(version)
              : new Failed(
                  new StartProblem(
                      Kind.DEPENDENCY,
                      "Postgres at %s is of version %s".formatted(catalog.where(), version),
                      "use version %d or newer".formatted(LEAST_VERSION)));
        },
        CatalogChecks::noLogin);
  }

  /**
   * Can the lake be attached? Where there is none yet, that is said, and none is made. After {@link
   * #login}.
   *
   * @param dataPath where the settings have the lake's data
   */
  public Finding attach(String dataPath) {
    Engine running = engine;
    if (running == null) {
      return noLogin();
    }
    try {
      running.run(
          "ATTACH %s AS %s (DATA_PATH %s, META_SECRET %s, READ_ONLY, CREATE_IF_NOT_EXISTS false)"
              .formatted(
                  Sql.literal("ducklake:postgres:" + catalog.options()),
                  LakeCatalog.NAME,
                  Sql.literal(dataPath),
                  Sql.literal(SECRET)));
      try (EngineConnection connection = running.connect(BARE)) {
        return new Passed("snapshot " + LakeCatalog.newestSnapshot(connection));
      }
    } catch (EngineException e) {
      return e.text().contains("creating a new DuckLake is explicitly disabled")
          ? new Passed(
              "the database %s has no lake yet: the first start makes it"
                  .formatted(catalog.catalog().database()))
          : new Failed(catalog.problem(e, dataPath));
    }
  }

  private interface Attempt {
    Finding on(EngineConnection connection) throws EngineException;
  }

  private interface Otherwise {
    Finding get();
  }

  private Finding withConnection(Attempt attempt, Otherwise withoutLogin) {
    Engine running = engine;
    if (running == null) {
      return withoutLogin.get();
    }
    try (EngineConnection connection = running.connect(BARE)) {
      return attempt.on(connection);
    } catch (EngineException e) {
      return new Failed(catalog.problem(e, ""));
    }
  }

  private static Finding noLogin() {
    return new Untried("it needs a login");
  }

  private static List<String> ask(Engine engine, String postgresSql) throws EngineException {
    try (EngineConnection connection = engine.connect(BARE)) {
      return ask(connection, postgresSql);
    }
  }

  private static List<String> ask(EngineConnection connection, String postgresSql)
      throws EngineException {
    return connection
        .rows("FROM postgres_query('%s', %s)".formatted(POSTGRES, Sql.literal(postgresSql)))
        .getFirst();
  }

  @Override
  public void close() {
    Engine opened = engine;
    if (opened != null) {
      opened.close();
    }
  }
}
