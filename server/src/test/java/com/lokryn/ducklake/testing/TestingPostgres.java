package com.lokryn.ducklake.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** A Postgres of its own, with a user that owns a database for a lake's catalog. */
public final class TestingPostgres implements AutoCloseable {
  public static final String USER = "lake_user";

  /** Whatever quotes and escapes there are between here and Postgres. */
  public static final String PASSWORD = "p'\"\\; $x";

  private final EmbeddedPostgres postgres;
  private final Path data;
  private final Path control;

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
    try (Connection connection = postgres.getPostgresDatabase().getConnection();
        var statement = connection.createStatement();
        var result = statement.executeQuery(sql)) {
      result.next();
      return result.getString(1);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
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
