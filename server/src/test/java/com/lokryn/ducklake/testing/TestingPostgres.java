package com.lokryn.ducklake.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;

/** A Postgres of its own, with a user that owns a database for a lake's catalog. */
public final class TestingPostgres implements AutoCloseable {
  public static final String USER = "lake_user";

  /** Whatever quotes and escapes there are between here and Postgres. */
  public static final String PASSWORD = "p'\"\\; $x";

  private static final String LOG = "statements.log";

  private final EmbeddedPostgres postgres;
  private final Path data;
  private final Path control;
  private List<String> frozen = List.of();

  private TestingPostgres(EmbeddedPostgres postgres) throws IOException {
    this.postgres = postgres;
    this.data = Path.of(value("SHOW data_directory"));
    this.control = Path.of("/proc", postmaster(), "exe").toRealPath().resolveSibling("pg_ctl");
  }

  public static TestingPostgres start() {
    try {
      var started =
          new TestingPostgres(
              EmbeddedPostgres.builder()
                  .setServerConfig("max_connections", "200")
                  .setServerConfig("fsync", "off")
                  .setServerConfig("synchronous_commit", "on")
                  .setServerConfig("logging_collector", "on")
                  .setServerConfig("log_filename", LOG)
                  .setServerConfig("log_line_prefix", "%d:")
                  .setLocaleConfig("locale", "C")
                  .setLocaleConfig("encoding", "UTF-8")
                  .start());
      started.askForPasswords();
      started.run("CREATE USER %s PASSWORD '%s'".formatted(USER, PASSWORD.replace("'", "''")));
      return started;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As it comes it lets everyone in. */
  private void askForPasswords() throws IOException {
    Files.writeString(
        Path.of(value("SHOW hba_file")),
        """
        host all postgres 127.0.0.1/32 trust
        host all all 127.0.0.1/32 scram-sha-256
        """,
        StandardCharsets.UTF_8);
    run("SELECT pg_reload_conf()");
  }

  public int port() {
    return postgres.getPort();
  }

  /** A new database that the user owns. */
  public void create(String database) {
    run("CREATE DATABASE %s OWNER %s".formatted(database, USER));
  }

  /** Has the statements logged of those who connect to a database from here on. */
  public void logStatements(String database) {
    run("ALTER DATABASE %s SET log_statement = 'all'".formatted(database));
  }

  /** The statements of a database that were logged so far, in their order. */
  public List<String> statements(String database) {
    try (Stream<String> lines = Files.lines(data.resolve("log").resolve(LOG))) {
      return lines
          .filter(line -> line.startsWith(database + ":"))
          .filter(line -> line.contains("statement: ") || line.contains("execute "))
          .map(line -> line.replaceFirst(".*?(statement|execute [^:]*): +", ""))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs a statement as the superuser. */
  public void run(String sql) {
    run("postgres", sql);
  }

  /** Runs a statement in a database as the superuser. */
  public void run(String database, String sql) {
    try (Connection connection = postgres.getDatabase("postgres", database).getConnection();
        var statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }

  /** The only value of a query, asked as the superuser. */
  public String value(String sql) {
    return value("postgres", sql);
  }

  /** The only value of a query in a database, asked as the superuser. */
  public String value(String database, String sql) {
    try (Connection connection = postgres.getDatabase("postgres", database).getConnection();
        var statement = connection.createStatement();
        var result = statement.executeQuery(sql)) {
      result.next();
      return result.getString(1);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }

  /**
   * Speaks TLS to those who ask for it, as 127.0.0.1.
   *
   * @param directory for the files that are needed on the way
   * @return the certificate, in PEM, which is its own authority
   */
  public Path speakTls(Path directory) throws Exception {
    Path store = directory.resolve("postgres.p12");
    Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
    if (run(
            List.of(
                keytool.toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-alias",
                "postgres",
                "-dname",
                "CN=127.0.0.1",
                "-ext",
                "san=ip:127.0.0.1",
                "-storepass",
                "testing",
                "-keystore",
                store.toString()))
        != 0) {
      throw new IllegalStateException("keytool failed");
    }
    KeyStore keys = KeyStore.getInstance(store.toFile(), "testing".toCharArray());
    Path certificate = directory.resolve("postgres.pem");
    writePem(certificate, "CERTIFICATE", keys.getCertificate("postgres").getEncoded());
    Files.copy(certificate, data.resolve("server.crt"), StandardCopyOption.REPLACE_EXISTING);
    Path key = Files.createFile(data.resolve("server.key"));
    Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
    writePem(key, "PRIVATE KEY", keys.getKey("postgres", "testing".toCharArray()).getEncoded());
    run("ALTER SYSTEM SET ssl = on");
    run("SELECT pg_reload_conf()");
    return certificate;
  }

  private static void writePem(Path file, String kind, byte[] content) throws IOException {
    Files.writeString(
        file,
        "-----BEGIN %s-----\n%s\n-----END %s-----\n"
            .formatted(kind, Base64.getMimeEncoder().encodeToString(content), kind),
        StandardCharsets.US_ASCII);
  }

  /** Connections of servers that are open now. */
  public int connections(String database) {
    return Integer.parseInt(
        value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ducklake-flight'"
                + " AND datname = '%s'".formatted(database)));
  }

  /** Breaks the connections of servers off; true if there were some. */
  public boolean cutConnections(String database) {
    return value(
            "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity"
                + " WHERE application_name = 'ducklake-flight' AND datname = '%s'"
                    .formatted(database))
        .equals("t");
  }

  /** Stops it as a crash does; its port answers with a refusal until it is started again. */
  public void stop() {
    control("stop", "-m", "immediate");
  }

  public void startAgain() {
    control("start", "-o", "-F -i -N 200 -p " + port(), "-l", "/dev/null");
  }

  /** Lets none of its processes run: the machine is there, and answers nothing. */
  public void freeze() {
    frozen =
        List.of(
            value(
                    "SELECT string_agg(pid::text, ',') FROM pg_stat_activity"
                        + " WHERE pid <> pg_backend_pid()")
                .split(","));
    run(List.of("kill", "-STOP", postmaster()));
    frozen.forEach(pid -> run(List.of("kill", "-STOP", pid)));
  }

  public void thaw() {
    if (!frozen.isEmpty()) {
      frozen.forEach(pid -> run(List.of("kill", "-CONT", pid)));
      frozen = List.of();
      run(List.of("kill", "-CONT", postmaster()));
    }
  }

  private String postmaster() {
    try {
      return Files.readAllLines(data.resolve("postmaster.pid")).getFirst().strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void control(String... arguments) {
    var command = new ArrayList<String>();
    if ("root".equals(System.getProperty("user.name"))) {
      // Postgres does not run as root, and in a namespace of users of its own it is not.
      command.addAll(List.of("unshare", "-U"));
    }
    command.add(control.toString());
    command.addAll(List.of("-D", data.toString(), "-w"));
    command.addAll(List.of(arguments));
    if (run(command) != 0) {
      throw new IllegalStateException(command.toString());
    }
  }

  private static int run(List<String> command) {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(command.toString(), e);
    }
  }

  @Override
  public void close() {
    thaw();
    try {
      postgres.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
