package com.lokryn.ducklake.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** The program as its users start it, in a process of its own. */
public final class TestingProcess implements AutoCloseable {
  private static final String LISTENING = "✓ Flight SQL server listening on grpc://";

  private final Process process;
  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final List<String> errors = new CopyOnWriteArrayList<>();
  private final List<Thread> readers;

  private TestingProcess(Process process) {
    this.process = process;
    this.readers =
        List.of(reading(process.inputReader(), lines), reading(process.errorReader(), errors));
  }

  /**
   * Starts a command.
   *
   * @param environment all variables besides those that a program needs to run at all
   */
  public static TestingProcess start(Map<String, String> environment, String... arguments) {
    var command = new ArrayList<String>();
    command.add(System.getProperty("ducklake.launcher"));
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.startsWith("AWS_"));
    builder.environment().put("AWS_EC2_METADATA_DISABLED", "true");
    builder.environment().putAll(environment);
    try {
      return new TestingProcess(builder.start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Thread reading(BufferedReader reader, List<String> lines) {
    return Thread.ofVirtual()
        .start(
            () -> {
              try (reader) {
                reader.lines().forEach(lines::add);
              } catch (IOException | UncheckedIOException e) {
                // It was killed.
              }
            });
  }

  /** Waits for the line that says where it listens. */
  public TestingProcess listening() {
    Awaitility.await()
        .atMost(Duration.ofMinutes(2))
        .until(() -> !process.isAlive() || isListening());
    if (!isListening()) {
      throw new AssertionError("it does not listen: " + lines + errors);
    }
    return this;
  }

  private boolean isListening() {
    return lines.stream().anyMatch(line -> line.startsWith(LISTENING));
  }

  public int port() {
    String line = lines.stream().filter(one -> one.startsWith(LISTENING)).findFirst().orElseThrow();
    return Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
  }

  public List<String> lines() {
    return lines;
  }

  public List<String> errors() {
    return errors;
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  public long pid() {
    return process.pid();
  }

  /** Waits for its end. */
  public int exitCode() {
    try {
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        throw new AssertionError("it does not end: " + lines + errors);
      }
      for (Thread reader : readers) {
        reader.join();
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** SIGTERM. */
  public int terminate() {
    process.destroy();
    return exitCode();
  }

  /** SIGKILL. */
  public void kill() {
    process.destroyForcibly();
    exitCode();
  }

  @Override
  public void close() {
    if (process.isAlive()) {
      kill();
    }
  }
}
