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
import java.util.stream.Stream;

/** A Postgres of its own, with a user that owns a database for a lake's catalog. */
public final class TestingPostgres implements AutoCloseable {
  public static final String USER = "lake_user";

  /** Whatever quotes and escapes there are between here and Postgres. */
  public static final String PASSWORD = "p'\"\\; $x";

  private final EmbeddedPostgres postgres;
  private List<Long> paused = List.of();

  private TestingPostgres(EmbeddedPostgres postgres) {
    this.postgres = postgres;
  }

  public static TestingPostgres start() {
    try {
      var started =
          new TestingPostgres(
              EmbeddedPostgres.builder()
                  .setServerConfig("max_connections", "200")
                  .setServerConfig("fsync", "off")
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
    try (Connection connection = postgres.getPostgresDatabase().getConnection();
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

  /** Stops all of its processes where they are, as a machine that hangs: SIGSTOP. */
  public void pause() {
    paused = processes();
    signal("-STOP", paused);
  }

  /** Lets them go on. */
  public void resume() {
    signal("-CONT", paused);
    paused = List.of();
  }

  private List<Long> processes() {
    try {
      Path file = Path.of(value("SHOW data_directory"), "postmaster.pid");
      long postmaster = Long.parseLong(Files.readAllLines(file).getFirst().strip());
      ProcessHandle handle = ProcessHandle.of(postmaster).orElseThrow();
      return Stream.concat(Stream.of(handle), handle.descendants())
          .map(ProcessHandle::pid)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void signal(String signal, List<Long> pids) {
    if (pids.isEmpty()) {
      return;
    }
    var command = new ArrayList<>(List.of("kill", signal));
    pids.forEach(pid -> command.add(Long.toString(pid)));
    try {
      // A child may have ended meanwhile: its number then names nothing, and kill says so.
      new ProcessBuilder(command).start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    resume();
    try {
      postgres.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
