package com.lokryn.ducklake.query;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.observe.Limit;
import com.lokryn.ducklake.observe.QueryId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The sessions there are. Each connection has one for each of its users, which ends with it, unless
 * its client has called it by its name: then it goes on, and can be called from other connections.
 * What a session holds ends as well when it is not used. Thread-safe.
 */
public final class Sessions implements AutoCloseable {
  /**
   * How long a session that holds a connection of the engine waits for its client to come back, who
   * has had one connection so far. One who is gone for good must not hold it for long.
   */
  private static final Duration RETURN = Duration.ofMinutes(1);

  /** Each that is called by its name stays for a while when its connection has gone. */
  static final int MAX_OF_USER = 1_000;

  /** How long a client is told that its session has ended. */
  private static final Duration REMEMBERED = Duration.ofDays(1);

  /** A session and who uses it. */
  private static final class Kept {
    private final Session session;
    private final Instant began;
    private final Set<String> connections = new HashSet<>();
    private Instant used;

    /** Its client calls it by its name. */
    private boolean isNamed;

    /** It was called by its name from a second connection. */
    private boolean roams;

    Kept(Session session, Instant used) {
      this.session = session;
      this.began = used;
      this.used = used;
    }
  }

  private static final class Connection {
    private final Map<String, Kept> byUser = new HashMap<>();
    private final Set<Kept> used = new LinkedHashSet<>();
  }

  private final Map<String, Connection> connections = new HashMap<>();
  private final Map<String, Kept> byId = new HashMap<>();

  /** Sessions whose clients do not know yet that they have ended, and since when. */
  private final Map<String, Instant> lost = new HashMap<>();

  private volatile Consumer<Session> onKill = _ -> {};
  private final Namespace initial;
  private final Session.Connector connector;
  private final InstantSource clock;
  private final Duration idle;

  /**
   * @param initial where sessions begin
   * @param idle how long a session is kept that is not used
   */
  public Sessions(
      Namespace initial, Session.Connector connector, InstantSource clock, Duration idle) {
    this.initial = initial;
    this.connector = connector;
    this.clock = clock;
    this.idle = idle;
  }

  /** A connection is there. */
  public synchronized void begin(String connection) {
    connections.put(connection, new Connection());
  }

  /**
   * The session of a user's requests that name none; one that comes after its connection's end
   * finds an ended one.
   *
   * @throws QueryException once, when the one before ended because it was not used
   */
  public synchronized Session of(String connection, Identity identity) {
    Connection known = connections.get(connection);
    if (known == null) {
      Session ended = make(QueryId.random().value(), identity);
      ended.close();
      return ended;
    }
    Kept kept = known.byUser.get(identity.name());
    if (kept != null && forgetLost(kept.session.id())) {
      known.byUser.remove(identity.name());
      throw ended();
    }
    if (kept == null || byId.get(kept.session.id()) != kept) {
      kept = keep(QueryId.random().value(), identity);
      known.byUser.put(identity.name(), kept);
    }
    return used(kept, identity, connection, known);
  }

  /**
   * The session of that name, if there is one of that user.
   *
   * @throws QueryException once, when it ended because it was not used
   */
  public synchronized Optional<Session> find(String id, String connection, Identity identity) {
    if (forgetLost(id)) {
      throw ended();
    }
    Kept kept = byId.get(id);
    if (kept == null || !kept.session.user().equals(identity.name())) {
      return Optional.empty();
    }
    kept.isNamed = true;
    return Optional.of(used(kept, identity, connection, connections.get(connection)));
  }

  /** As {@link #find}, and makes one of that name where there is none. */
  public synchronized Session named(String id, String connection, Identity identity) {
    Optional<Session> found = find(id, connection, identity);
    if (found.isPresent() || byId.containsKey(id)) {
      return found.orElseThrow(Sessions::ended);
    }
    Kept kept = keep(id, identity);
    kept.isNamed = true;
    return used(kept, identity, connection, connections.get(connection));
  }

  private Session used(Kept kept, Identity identity, String name, @Nullable Connection connection) {
    kept.used = clock.instant();
    kept.session.become(identity);
    if (connection != null && kept.connections.add(name)) {
      connection.used.add(kept);
      kept.roams |=
          kept.connections.size() > 1 || connection.byUser.get(kept.session.user()) != kept;
    }
    return kept.session;
  }

  /**
   * Of a user who has too many the oldest goes that holds nothing and that nobody is connected to.
   */
  private Kept keep(String id, Identity identity) {
    List<Kept> others =
        byId.values().stream()
            .filter(other -> other.session.user().equals(identity.name()))
            .toList();
    if (others.size() >= MAX_OF_USER) {
      Kept oldest =
          others.stream()
              .filter(other -> other.connections.isEmpty())
              .filter(other -> !other.session.hasAnything() && !other.session.isBusy())
              .min(Comparator.comparing(other -> other.used))
              .orElseThrow(
                  () ->
                      new QueryException(
                          Limit.SESSIONS,
                          "you have %d sessions (sessions of a user): close some, or use them again"
                              .formatted(others.size())));
      take(List.of(oldest), _ -> true).forEach(Session::close);
    }
    var kept = new Kept(make(id, identity), clock.instant());
    byId.put(id, kept);
    return kept;
  }

  private Session make(String id, Identity identity) {
    return new Session(id, identity, initial, initial, connector);
  }

  private boolean forgetLost(String id) {
    return lost.remove(id) != null;
  }

  /** What a client hears whose session is not there any more. */
  public static QueryException ended() {
    return new QueryException(
        Problem.UNKNOWN_HANDLE,
        "this session has ended, because it was not used for long, was ended by KILL SESSION, or its server is gone: its"
            + " transaction was rolled back, its temporary objects and settings are gone; what is"
            + " sent from here on is of a new session");
  }

  /** A session of its own, which no connection names; whoever asks for it ends it. */
  public Session detached(String id, Session owner) {
    return new Session(id, owner.identity(), owner.namespace(), initial, connector);
  }

  /**
   * Ends the sessions of a connection that is gone, but for those that its client may call from
   * another.
   *
   * @param before told of each, before it ends
   */
  public void end(String connection, Consumer<Session> before) {
    List<Session> ending;
    synchronized (this) {
      Connection gone = connections.remove(connection);
      if (gone == null) {
        return;
      }
      gone.used.forEach(kept -> kept.connections.remove(connection));
      ending = take(gone.used, kept -> kept.connections.isEmpty() && !kept.isNamed);
    }
    end(ending, before);
  }

  /**
   * Ends one session; its connection goes on with a new one.
   *
   * @param before told of it, before it ends
   */
  public void end(Session session, Consumer<Session> before) {
    List<Session> ending;
    synchronized (this) {
      ending = take(List.copyOf(byId.values()), kept -> kept.session == session);
    }
    end(ending, before);
  }

  /**
   * Takes out the sessions that were not used for too long, whose clients will hear of it; whoever
   * calls ends them, which may take a while.
   */
  public synchronized List<Session> takeIdle() {
    Instant now = clock.instant();
    lost.values().removeIf(since -> since.plus(REMEMBERED).isBefore(now));
    List<Kept> overdue =
        byId.values().stream()
            .filter(kept -> kept.session.hasAnything() || kept.connections.isEmpty())
            .filter(kept -> kept.used.plus(patience(kept)).isBefore(now))
            .toList();
    var taken = new ArrayList<Session>();
    for (Kept kept : overdue) {
      if (kept.session.isBusy()) {
        kept.used = now;
        continue;
      }
      if (kept.session.hasAnything()) {
        lost.put(kept.session.id(), now);
      }
      taken.addAll(take(List.of(kept), _ -> true));
    }
    return taken;
  }

  private Duration patience(Kept kept) {
    boolean mayBeGone = kept.connections.isEmpty() && !kept.roams && kept.session.hasState();
    return mayBeGone && RETURN.compareTo(idle) < 0 ? RETURN : idle;
  }

  private List<Session> take(Collection<Kept> from, Predicate<Kept> condition) {
    List<Kept> taken = from.stream().filter(condition).toList();
    for (Kept kept : taken) {
      byId.remove(kept.session.id(), kept);
      for (String name : kept.connections) {
        Connection connection = connections.get(name);
        if (connection != null) {
          connection.used.remove(kept);
        }
      }
    }
    return taken.stream().map(kept -> kept.session).toList();
  }

  private static void end(List<Session> sessions, Consumer<Session> before) {
    for (Session session : sessions) {
      before.accept(session);
      session.close();
    }
  }

  /**
   * A session that is there.
   *
   * @param connections how many use it
   */
  record View(Session session, int connections, Instant started, Instant used) {}

  /** All of them as they are now, the oldest first. */
  synchronized List<View> views() {
    return byId.values().stream()
        .sorted(Comparator.comparing(kept -> kept.began))
        .map(kept -> new View(kept.session, kept.connections.size(), kept.began, kept.used))
        .toList();
  }

  /**
   * Takes out a session that is to end now, whose client will hear of it; whoever calls ends what
   * runs in it, and then the session.
   *
   * @param condition looked at before
   */
  Optional<Session> kill(String id, Predicate<Session> condition) {
    Optional<Session> killed;
    synchronized (this) {
      Kept kept = byId.get(id);
      if (kept == null || !condition.test(kept.session)) {
        return Optional.empty();
      }
      lost.put(id, clock.instant());
      killed = take(List.of(kept), _ -> true).stream().findFirst();
    }
    killed.ifPresent(onKill);
    return killed;
  }

  /** Who is told of a session that is killed, before it ends. */
  public void onKill(Consumer<Session> listener) {
    onKill = listener;
  }

  /** How many there are. */
  public synchronized int count() {
    return byId.size();
  }

  @Override
  public void close() {
    List<Session> ending;
    synchronized (this) {
      ending = take(List.copyOf(byId.values()), _ -> true);
    }
    end(ending, _ -> {});
  }
}
