package com.lokryn.ducklake.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** S3 and Secrets Manager in a process of their own; it ends with this one, however that ends. */
public final class TestingAws implements AutoCloseable {
  private final Process process;
  private final URI endpoint;

  private TestingAws(Process process, URI endpoint) {
    this.process = process;
    this.endpoint = endpoint;
  }

  /** Starts them empty, with whatever credentials. */
  public static TestingAws start() {
    Path python = Path.of(System.getProperty("ducklake.python", "target/venv/bin/python"));
    if (!Files.isExecutable(python)) {
      throw new IllegalStateException(
          "this test needs Python with src/test/python/requirements.txt, and there is none at "
              + python
              + ": run bin/test once, which makes it");
    }
    Path script =
        Path.of(System.getProperty("basedir", "."), "src", "test", "python", "aws_services.py");
    try {
      Process process =
          new ProcessBuilder(python.toString(), script.toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
      String line = output.readLine();
      while (line != null && !line.matches("\\d+")) {
        line = output.readLine();
      }
      if (line == null) {
        throw new IllegalStateException("%s ended with %d".formatted(script, exitCode(process)));
      }
      return new TestingAws(process, URI.create("http://127.0.0.1:" + line));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public URI endpoint() {
    return endpoint;
  }

  private static int exitCode(Process process) {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return -1;
    }
  }

  @Override
  public void close() {
    process.destroy();
    exitCode(process);
  }
}
