package com.lokryn.ducklake.testing;

import static org.awaitility.Awaitility.await;

import com.lokryn.ducklake.app.LakeServer;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A local server for all tests of a class, and clients that end with each test. Nothing may be left
 * behind: no connection of the engine after a test, no Arrow memory after all.
 */
public final class LocalServer implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {
  private final Queue<TestingClient> clients = new ConcurrentLinkedQueue<>();
  private @Nullable TestingLakeServer running;

  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    running = TestingLakeServer.start();
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    closeClients();
    await().until(() -> server().openConnections() == 0);
  }

  @Override
  public void afterAll(ExtensionContext context) throws Exception {
    closeClients();
    await().until(() -> server().bufferBytes() == 0);
    running().close();
  }

  private void closeClients() throws Exception {
    for (TestingClient client = clients.poll(); client != null; client = clients.poll()) {
      client.close();
    }
  }

  private TestingLakeServer running() {
    return Objects.requireNonNull(running);
  }

  public LakeServer server() {
    return running().server();
  }

  public int port() {
    return running().port();
  }

  /** Where the lake is. */
  public Path directory() {
    return running().directory();
  }

  /** A client that is closed after the test. */
  public TestingClient connect() {
    TestingClient client = running().connect();
    clients.add(client);
    return client;
  }
}
