package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.EngineException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Lets one ingest at a time use an idempotency key, among all servers of a lake. */
public interface KeyLock {
  /** A key that nobody else uses until it is closed. */
  interface Held extends AutoCloseable {
    /** Fails when the key may have been lost meanwhile. */
    void require() throws EngineException;

    @Override
    void close();
  }

  /** Takes the key, if nobody uses it. */
  Optional<Held> tryHold(String key) throws EngineException;

  /** For a lake that has one server only. */
  static KeyLock ofProcess() {
    Set<String> held = ConcurrentHashMap.newKeySet();
    return key ->
        held.add(key)
            ? Optional.of(
                new Held() {
                  @Override
                  public void require() {}

                  @Override
                  public void close() {
                    held.remove(key);
                  }
                })
            : Optional.empty();
  }
}
