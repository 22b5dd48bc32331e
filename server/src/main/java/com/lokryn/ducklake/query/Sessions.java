package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.Namespace;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The sessions there are. Thread-safe. */
public final class Sessions implements AutoCloseable {
  private final Map<String, Session> sessions = new ConcurrentHashMap<>();
  private final Namespace initial;
  private final Session.Connector connector;

  public Sessions(Namespace initial, Session.Connector connector) {
    this.initial = initial;
    this.connector = connector;
  }

  /** Begins a session. */
  public void begin(String id) {
    sessions.put(id, new Session(id, initial, initial, connector));
  }

  /** The session of that name; a request that comes after its end finds one that has ended. */
  public Session get(String id) {
    return find(id).orElseGet(() -> ended(id));
  }

  private Session ended(String id) {
    Session session = detached(id, initial);
    session.close();
    return session;
  }

  /** A session of its own, which no connection names; whoever asks for it ends it. */
  public Session detached(String id, Namespace namespace) {
    return new Session(id, namespace, initial, connector);
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
