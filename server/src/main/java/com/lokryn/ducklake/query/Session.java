package com.lokryn.ducklake.query;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.engine.BatchStream;
import com.lokryn.ducklake.engine.EngineConnection;
import com.lokryn.ducklake.engine.EngineError;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.Namespace;
import com.lokryn.ducklake.engine.SqlText;
import com.lokryn.ducklake.gate.Statement;
import com.lokryn.ducklake.gate.Statement.Kind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one client has set up: where its names are looked up, and, once it makes something that only
 * its own connection can see (a transaction, a temporary table), the {@link Workspace} that holds
 * it. Thread-safe.
 */
public final class Session implements AutoCloseable {
  /** Opens connections of the engine. */
  public interface Connector {
    EngineConnection connect(Namespace namespace) throws EngineException;

    /** As {@link com.lokryn.ducklake.engine.Engine#connectWithin}. */
    default Optional<EngineConnection> connectWithin(Namespace namespace, long snapshot)
        throws EngineException {
      return Optional.empty();
    }
  }

  /** Where a statement runs: on a connection of its own, or on the session's. */
  static final class Place {
    private final EngineConnection connection;
    private final @Nullable Workspace workspace;

    private Place(EngineConnection connection, @Nullable Workspace workspace) {
      this.connection = connection;
      this.workspace = workspace;
    }

    EngineConnection connection() {
      return connection;
    }

    /** True when the connection is the statement's own, to be kept or {@link #release}d by it. */
    boolean isOwn() {
      return workspace == null;
    }

    /**
     * A stream of this connection that may be read after the work here is over.
     *
     * @param scope the transaction that it is read in
     */
    BatchStream keep(BatchStream stream, Scope scope, Cancellation cancellation) {
      return workspace == null ? stream : workspace.lend(stream, scope, cancellation);
    }

    /**
     * Ends the use of a connection of one's own; the session's stays.
     *
     * @param clean true when nothing of the statement is left in the connection
     */
    void release(boolean clean) {
      release(Scope.none(), clean);
    }

    /**
     * The same for a statement whose result was read until now.
     *
     * @param scope the transaction that it was read in
     */
    void release(Scope scope, boolean clean) {
      if (workspace != null) {
        workspace.settleIfIdle();
        return;
      }
      if (clean && scope.leave()) {
        return;
      }
      if (clean && isCommitted(scope)) {
        connection.giveBack();
      } else {
        connection.close();
      }
    }
  }

  /** Ends a transaction in which nothing was changed: whether it ends well is no matter to it. */
  static boolean isCommitted(Scope scope) {
    try {
      scope.commit();
      return true;
    } catch (EngineException _) {
      return false;
    }
  }

  /** What a statement does in its place. When it fails, an own connection is closed for it. */
  interface Work<T> {
    T run(Place place) throws EngineException;
  }

  /** What a statement does in its place, within a transaction that was begun before. */
  interface ScopedWork<T> {
    T run(Place place, Scope scope) throws EngineException;
  }

  /** Into how many parts a result may be divided. */
  public static final int MAX_PARTITIONS = 64;

  private static final int MAX_OBJECTS = 1_000;

  private final String id;
  private final Connector connector;
  private final Namespace initial;
  private final AtomicInteger active = new AtomicInteger();
  private final AtomicInteger transactions = new AtomicInteger();
  private volatile Identity identity;
  private volatile Namespace namespace;
  private volatile boolean usesCache = true;
  private volatile int partitions = 1;
  private volatile @Nullable Workspace workspace;

  /**
   * What its temporary views and macros were made by; one may have been dropped, which is no
   * matter.
   */
  private final Map<String, List<Statement>> own = new HashMap<>();

  /** What it has prepared by SQL. */
  private final Map<String, List<Statement>> prepared = new HashMap<>();

  private volatile boolean transaction;

  /** What its transaction holds. */
  private Holdings.@Nullable Hold hold;

  private boolean objects;
  private volatile boolean closed;

  /** What the client was last told of it: null before the first time. */
  private final AtomicReference<@Nullable Boolean> announced = new AtomicReference<>();

  /**
   * @param namespace where it begins
   * @param initial where it goes when a schema that it was in is dropped
   */
  Session(
      String id, Identity identity, Namespace namespace, Namespace initial, Connector connector) {
    this.id = id;
    this.identity = identity;
    this.namespace = namespace;
    this.initial = initial;
    this.connector = connector;
  }

  public String id() {
    return id;
  }

  /** Whose it is. */
  public String user() {
    return identity.name();
  }

  public Identity identity() {
    return identity;
  }

  /** From here on its user may do what they may by now. */
  void become(Identity now) {
    identity = now;
  }

  /** Whether its statements may be answered from the cache of results. */
  public boolean usesCache() {
    return usesCache;
  }

  public void useCache(boolean whether) {
    usesCache = whether;
  }

  /** Into how many parts its results are divided where they can be; one for not at all. */
  public int partitions() {
    return partitions;
  }

  /**
   * Changes {@link #partitions}.
   *
   * @return false where that is no number of parts
   */
  public boolean divide(long wanted) {
    if (wanted < 1 || wanted > MAX_PARTITIONS) {
      return false;
    }
    partitions = (int) wanted;
    return true;
  }

  public Namespace namespace() {
    return namespace;
  }

  /** Where its names were looked up when it began. */
  public Namespace initial() {
    return initial;
  }

  /** Runs work where it sees what this session has made. */
  <T> T run(Cancellation cancellation, Work<T> work) throws EngineException {
    return run(cancellation, false, work);
  }

  /** Runs a statement; one that makes state of a connection's makes the session keep one. */
  <T> T run(SqlText text, Cancellation cancellation, Work<T> work) throws EngineException {
    try {
      return run(
          cancellation,
          text.isBegin() || text.isTemporaryObject() || text.isConnectionState(),
          work);
    } catch (EngineException e) {
      failed(text, e);
      throw e;
    }
  }

  /**
   * Runs a read in a transaction that an earlier one has left open, if there is one that sees what
   * a new one would, and works yet: its connection to the catalog may have gone while nobody
   * looked.
   *
   * @param seen what a new transaction would see
   */
  <T> Optional<T> runWithin(
      Namespace within, Scope.Sight seen, Cancellation cancellation, ScopedWork<T> work)
      throws EngineException {
    Optional<EngineConnection> found = connector.connectWithin(within, seen.snapshot());
    if (found.isEmpty()) {
      return Optional.empty();
    }
    EngineConnection connection = found.get();
    try {
      return Optional.of(work.run(new Place(connection, null), Scope.resume(connection, seen)));
    } catch (EngineException | RuntimeException e) {
      connection.close();
      if (e instanceof EngineException failure
          && failure.error().mayBeOfTransaction()
          && !cancellation.isCancelled()) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Runs work that needs nothing of this session, where names are looked up in another place. */
  <T> T runAt(Namespace elsewhere, Work<T> work) throws EngineException {
    EngineConnection connection = connector.connect(elsewhere);
    try {
      return work.run(new Place(connection, null));
    } catch (EngineException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /** Runs work on the session's connection, which it then keeps. */
  <T> T runKeeping(Cancellation cancellation, Work<T> work) throws EngineException {
    return run(
        cancellation,
        true,
        place -> {
          keepObjects();
          return work.run(place);
        });
  }

  private <T> T run(Cancellation cancellation, boolean makesState, Work<T> work)
      throws EngineException {
    while (true) {
      Optional<Workspace> shared = workspace(makesState);
      if (shared.isEmpty()) {
        return runAlone(work);
      }
      Workspace found = shared.get();
      Optional<T> result =
          found.run(cancellation, connection -> work.run(new Place(connection, found)));
      if (result.isPresent()) {
        return result.get();
      }
    }
  }

  private <T> T runAlone(Work<T> work) throws EngineException {
    EngineConnection connection = connect();
    try {
      return work.run(new Place(connection, null));
    } catch (EngineException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /** A schema that is gone must not keep its sessions from going elsewhere. */
  private EngineConnection connect() throws EngineException {
    Namespace wanted = namespace;
    try {
      return connector.connect(wanted);
    } catch (EngineException e) {
      if (e.error() != EngineError.MISSING || wanted.equals(initial)) {
        throw e;
      }
      namespace = initial;
      throw new EngineException(
          EngineError.MISSING,
          "Catalog Error: the schema %s.%s of this session does not exist any more; the session is"
                  .formatted(wanted.catalog(), wanted.schema())
              + " in %s.%s from here on".formatted(initial.catalog(), initial.schema()));
    }
  }

  /** A statement of this session begins, or a result of it stays open. */
  void begin() {
    active.incrementAndGet();
  }

  void end() {
    active.decrementAndGet();
  }

  /** How many statements of this session run, or have results on their way. */
  int active() {
    return active.get();
  }

  /** True in a transaction, begun by SQL or by its client's driver. */
  boolean isHoldingTransaction() {
    return transaction || transactions.get() > 0;
  }

  /** True while a statement of this session runs or its result is on its way. */
  public boolean isBusy() {
    return active.get() > 0;
  }

  /** True between a BEGIN and its end. It waits for no statement. */
  boolean inTransaction() {
    return transaction;
  }

  /** The statements that made its temporary views and macros, by the names of these. */
  synchronized Map<String, List<Statement>> ownObjects() {
    return own.isEmpty() ? Map.of() : Map.copyOf(own);
  }

  /**
   * What was prepared by SQL under a name, if only the last of it: one that failed took no other's
   * place.
   *
   * @throws QueryException where nothing was
   */
  synchronized List<Statement> prepared(String name) {
    List<Statement> found = prepared.get(name);
    if (found == null) {
      throw new QueryException(
          Problem.UNKNOWN_HANDLE,
          "no statement of the name %s was prepared in this session".formatted(name));
    }
    return found;
  }

  /** Keeps what has to be looked at again when it is used; before the engine makes it. */
  synchronized void keep(Statement statement) {
    if (statement.name().isEmpty()) {
      return;
    }
    String name = statement.name().get();
    if (statement.kind() == Kind.PREPARE) {
      keep(prepared, name, statement);
    } else if (statement.kind() == Kind.WRITE) {
      keep(own, name, statement);
    }
    if (own.size() + prepared.size() > MAX_OBJECTS
        || own.getOrDefault(name, List.of()).size() > MAX_OBJECTS
        || prepared.getOrDefault(name, List.of()).size() > MAX_OBJECTS) {
      throw new QueryException(
          Problem.LIMIT,
          "a session makes at most %d temporary views, macros and prepared statements by SQL"
              .formatted(MAX_OBJECTS));
    }
  }

  private static void keep(Map<String, List<Statement>> kept, String name, Statement statement) {
    List<Statement> before = kept.getOrDefault(name, List.of());
    // Statements that were read already are the same object.
    if (!before.contains(statement)) {
      kept.put(name, Stream.concat(before.stream(), Stream.of(statement)).toList());
    }
  }

  /** True when statements have to run on the session's own connection. */
  boolean hasState() {
    return workspace != null;
  }

  /**
   * True when it has anything that a new one would not have. It waits for no statement, as event
   * loops ask.
   */
  public boolean hasAnything() {
    return workspace != null || !namespace.equals(initial);
  }

  /** A transaction that its client names in its requests was begun in it. */
  public void holdTransaction() {
    transactions.incrementAndGet();
  }

  /** Such a transaction has ended. */
  public void endTransaction() {
    transactions.decrementAndGet();
  }

  /** True when it holds something that others may wait for, a transaction for instance. */
  boolean isHolding() {
    return workspace != null || transactions.get() > 0;
  }

  public boolean isClosed() {
    return closed;
  }

  /** Notes what its client is told now; true when that is not what it was told before. */
  public boolean announce(boolean isStateful) {
    return !Objects.equals(announced.getAndSet(isStateful), isStateful);
  }

  private synchronized Optional<Workspace> workspace(boolean make) throws EngineException {
    if (closed) {
      throw new QueryException(Problem.UNKNOWN_HANDLE, "this session has ended");
    }
    if (workspace != null && workspace.isLost()) {
      forgetLostWorkspace();
    }
    if (workspace == null && make) {
      workspace = new Workspace(connect(), this::releaseIfIdle);
    }
    return Optional.ofNullable(workspace);
  }

  /**
   * Temporary objects are gone with an engine that was lost; a transaction is not lost silently.
   */
  private void forgetLostWorkspace() {
    boolean inTransaction = transaction;
    workspace = null;
    endOfTransaction();
    objects = false;
    own.clear();
    prepared.clear();
    if (inTransaction) {
      throw new QueryException(
          Problem.UNAVAILABLE,
          "the transaction was lost because the engine had to be opened anew: begin it again");
    }
  }

  private synchronized boolean releaseIfIdle() {
    if (transaction || objects) {
      return false;
    }
    workspace = null;
    return true;
  }

  private synchronized void keepObjects() {
    objects = true;
  }

  private void endOfTransaction() {
    transaction = false;
    if (hold != null) {
      hold.close();
      hold = null;
    }
  }

  /**
   * Follows what a statement that has run has changed.
   *
   * @param holdings of which a transaction takes one
   */
  synchronized void ran(SqlText text, EngineConnection connection, Holdings holdings)
      throws EngineException {
    if (text.isUse()) {
      namespace = connection.namespace();
    } else if (text.isBegin()) {
      transaction = true;
      if (hold == null && !closed) {
        hold = holdings.takeForTransaction(user());
      }
    } else if (text.isEnd()) {
      connection.ended();
      endOfTransaction();
    } else if (text.isTemporaryObject() || text.isConnectionState()) {
      objects = true;
    }
  }

  /**
   * A commit that fails, for a conflict for instance, ends its transaction as well. One that could
   * not be read has not.
   */
  private synchronized void failed(SqlText text, EngineException failure) {
    if (text.isEnd() && failure.error() != EngineError.SYNTAX) {
      endOfTransaction();
    }
  }

  @Override
  public void close() {
    Workspace ending;
    synchronized (this) {
      closed = true;
      ending = workspace;
      workspace = null;
      endOfTransaction();
    }
    if (ending != null) {
      ending.close();
    }
  }
}
