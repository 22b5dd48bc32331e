package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.Namespace;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The sessions there are. A session begins with the first request that names it. Thread-safe. */
public final class Sessions implements AutoCloseable {
  private final Map<String, Session> sessions = new ConcurrentHashMap<>();
  private final Namespace initial;
  private final Session.Connector connector;

  public Sessions(Namespace initial, Session.Connector connector) {
    this.initial = initial;
    this.connector = connector;
  }

  public Session get(String id) {
    return sessions.computeIfAbsent(id, key -> new Session(key, initial, connector));
  }

  /** A session of its own, which no connection names; whoever asks for it ends it. */
  public Session detached(String id, Namespace namespace) {
    return new Session(id, namespace, connector);
  }

  /** The session of that name, if there is one. */
  public Optional<Session> find(String id) {
    return Optional.ofNullable(sessions.get(id));
  }

  /** Ends a session, if there is one of that name. */
  public void end(String id) {
    Session session = sessions.remove(id);
    if (session != null) {
      session.close();
    }
  }

  @Override
  public void close() {
    sessions.keySet().forEach(this::end);
  }
}
