package com.lokryn.ducklake.query;

import com.lokryn.ducklake.engine.Namespace;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * The sessions there are: one for each user of each connection, from their first request to the end
 * of the connection. Thread-safe.
 */
public final class Sessions implements AutoCloseable {
  /** The sessions of a connection, by user. */
  private final Map<String, Map<String, Session>> connections = new ConcurrentHashMap<>();

  private final Namespace initial;
  private final Session.Connector connector;

  public Sessions(Namespace initial, Session.Connector connector) {
    this.initial = initial;
    this.connector = connector;
  }

  /** A connection is there. */
  public void begin(String connection) {
    connections.put(connection, new ConcurrentHashMap<>());
  }

  /** The session of a request; one that comes after its connection's end finds an ended one. */
  public Session get(String connection, String user) {
    Map<String, Session> sessions = connections.get(connection);
    if (sessions == null) {
      return ended(connection, user);
    }
    Session session =
        sessions.computeIfAbsent(
            user, name -> new Session(connection, name, initial, initial, connector));
    if (connections.get(connection) == null) {
      // It ended meanwhile, and may not have seen this one.
      session.close();
    }
    return session;
  }

  private Session ended(String connection, String user) {
    var session = new Session(connection, user, initial, initial, connector);
    session.close();
    return session;
  }

  /** A session of its own, which no connection names; whoever asks for it ends it. */
  public Session detached(String id, Session owner) {
    return new Session(id, owner.user(), owner.namespace(), initial, connector);
  }

  /**
   * Ends the sessions of a connection.
   *
   * @param before told of each, before it ends
   */
  public void end(String connection, Consumer<Session> before) {
    Map<String, Session> sessions = connections.remove(connection);
    if (sessions != null) {
      for (Session session : sessions.values()) {
        before.accept(session);
        session.close();
      }
    }
  }

  /**
   * Ends one session of a connection, which goes on with a new one.
   *
   * @param before told of it, before it ends
   */
  public void end(Session session, Consumer<Session> before) {
    Map<String, Session> sessions = connections.get(session.id());
    if (sessions != null && sessions.remove(session.user(), session)) {
      before.accept(session);
      session.close();
    }
  }

  @Override
  public void close() {
    connections.keySet().forEach(connection -> end(connection, _ -> {}));
  }
}
