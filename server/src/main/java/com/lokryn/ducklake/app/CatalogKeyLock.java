package com.lokryn.ducklake.app;

import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.lake.LakeCatalog;
import com.lokryn.ducklake.lake.LakeEngine;
import com.lokryn.ducklake.lake.RemoteLake;
import com.lokryn.ducklake.query.KeyLock;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;

/**
 * Holds idempotency keys in the lake's Postgres, as advisory locks of a transaction: they end with
 * the process, however that ends.
 */
final class CatalogKeyLock implements KeyLock {
  private final LakeEngine engine;

  CatalogKeyLock(LakeEngine engine) {
    this.engine = engine;
  }

  @Override
  public Optional<Held> tryHold(String key) throws EngineException {
    EngineConnection connection = engine.connect(LakeCatalog.NAMESPACE);
    boolean held = false;
    try {
      connection.run("BEGIN");
      held = isTrue(connection, RemoteLake.tryLock(number(key)));
      return held ? Optional.of(new Transaction(connection)) : Optional.empty();
    } finally {
      if (!held) {
        connection.close();
      }
    }
  }

  private static boolean isTrue(EngineConnection connection, String sql) throws EngineException {
    return connection.rows(sql).getFirst().getFirst().equals("true");
  }

  /** Postgres's locks are numbers; two keys with the same one only wait for each other. */
  private static long number(String key) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(("ducklake-flight idempotency key " + key).getBytes(StandardCharsets.UTF_8));
      return ByteBuffer.wrap(hash).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private record Transaction(EngineConnection connection) implements Held {
    /** The lock is gone with its connection to Postgres. */
    @Override
    public void require() throws EngineException {
      isTrue(connection, RemoteLake.ask("SELECT true"));
    }

    @Override
    public void close() {
      connection.close();
    }
  }
}
