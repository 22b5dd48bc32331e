package com.lokryn.ducklake.query;

import com.lokryn.ducklake.observe.Limit;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Lets so much work into the engine at once, and has the rest wait in a fair order: users take
 * turns, then the sessions of each user, and what a session asks for keeps its order. What waits
 * holds no thread, and leaves as soon as it is cancelled.
 *
 * <p>DuckDB shares its time among all who are in it and can put nobody off, so what one user may
 * have in the engine is bounded as well: half of the slots, so that a slot is soon free for the
 * others however long that user's statements take. Who is alone may have three quarters; the rest
 * is for who comes next. And who has had much lately gets the threads that let others go first.
 * Thread-safe.
 */
public final class Admission {
  /** How long one keeps its slot while others wait: some batches, but nothing that is felt. */
  private static final Duration TURN = Duration.ofMillis(50);

  /** More than this of {@link RecentUse} is much: a fifth of a processor, or one large result. */
  private static final double MUCH_SECONDS = 0.25;

  /** How long a user counts as one of those who share the slots. */
  private static final Duration PRESENT = Duration.ofHours(1);

  /**
   * How much there is.
   *
   * @param slots how much work is in the engine at once
   * @param patience how long something may wait; empty for what has begun already
   * @param waiting how much may wait of all users; of one of several it is half
   */
  public record Limits(int slots, Optional<Duration> patience, int waiting) {
    int ofUser(boolean alone) {
      return most(slots, alone);
    }

    /** What one user may have of something. */
    static int most(int number, boolean alone) {
      return alone ? most(number) : Math.max(1, number / 2);
    }

    /** What one session may have of what its user may: there is room for another one. */
    private static int ofSession(int ofUser) {
      return ofUser < 2 ? ofUser : ofUser - Math.max(1, ofUser / 4);
    }

    /** Three quarters, and all of what cannot be divided. */
    private static int most(int number) {
      return number < 4 ? number : number - number / 4;
    }
  }

  /**
   * Threads that may enter the engine, of each kind as many as there are slots.
   *
   * @param usual for most of the work
   * @param patient for that of users who have had much lately: the system prefers others to them
   */
  public record Workers(Executor usual, Executor patient) {
    /** The same for all work. */
    public static Workers same(Executor workers) {
      return new Workers(workers, workers);
    }
  }

  /** Why something may not wait. */
  private record Refusal(Limit limit, String text) {}

  /** What one session has in the engine, and what of it waits. */
  private static final class Line {
    private final Deque<Claim> claims = new ArrayDeque<>();
    private int running;
  }

  private static final class User {
    private final Map<Session, Line> lines = new LinkedHashMap<>();
    private int running;
    private int waiting;
    private final RecentUse use = new RecentUse();
    private Instant seen;

    User(Instant seen) {
      this.seen = seen;
    }
  }

  private final Limits limits;
  private final Workers workers;
  private final Executor refusals;
  private final Holdings holdings;
  private final InstantSource clock;

  /** In the order of their turns, as are the lines of each. */
  private final Map<String, User> users = new LinkedHashMap<>();

  private int free;
  private final AtomicInteger waiting = new AtomicInteger();

  /**
   * @param refusals runs what was cancelled before it got a slot
   * @param holdings of which each piece of work has one, unless it is in a transaction, which has
   */
  public Admission(
      Limits limits, Workers workers, Executor refusals, Holdings holdings, InstantSource clock) {
    this.limits = limits;
    this.workers = workers;
    this.refusals = refusals;
    this.clock = clock;
    this.holdings = holdings;
    this.free = limits.slots;
    holdings.onGivenBack(this::dispatch);
  }

  /**
   * Something that needs a slot, once or several times.
   *
   * @param cancellation ends its waiting
   */
  public Claim claim(Session session, Cancellation cancellation) {
    var claim = new Claim(session, cancellation);
    cancellation.onCancel(claim::expedite);
    return claim;
  }

  /** Runs one task as soon as there is a slot for it; see {@link Claim#run}. */
  public void run(Session session, Cancellation cancellation, Runnable task) {
    claim(session, cancellation).run(task);
  }

  /** Work of a session that waits for a slot, or has one. It waits for one at a time. */
  public final class Claim {
    private final Session session;
    private final Cancellation cancellation;
    private @Nullable Runnable task;
    private Instant since = Instant.MAX;

    /** The latest it got. */
    private @Nullable Slot slot;

    private Claim(Session session, Cancellation cancellation) {
      this.session = session;
      this.cancellation = cancellation;
    }

    /**
     * Runs a task as soon as there is a slot, and returns at once. The task begins with a look at
     * its cancellation: one that is cancelled first, for having waited too long for instance, runs
     * at once and without a slot, only to say so.
     */
    public void run(Runnable wanted) {
      Optional<Refusal> refusal = add(this, wanted);
      if (refusal.isPresent()) {
        cancellation.cancel(refusal.get().limit, refusal.get().text);
        refusals.execute(wanted);
        return;
      }
      if (cancellation.isCancelled()) {
        expedite();
      }
      dispatch();
    }

    /**
     * True when its slot should be given back, and another one be asked for: others wait, or the
     * user has had much. To be asked now and then by the work that has the slot.
     */
    public boolean isOver() {
      Slot held = slot;
      if (held == null || !held.isOver()) {
        return false;
      }
      settle(held);
      return true;
    }

    private void expedite() {
      Optional<Runnable> taken = remove(this);
      taken.ifPresent(refusals::execute);
    }

    private String user() {
      return session.user();
    }
  }

  /** The right to be in the engine; closed, it goes to the next one. */
  private final class Slot implements AutoCloseable {
    private final Claim holder;
    private final Runnable task;
    private final Executor worker;
    private final Optional<Holdings.Hold> hold;

    /** How long it may be kept before its user has had much, in seconds. */
    private final double allowance;

    private Instant since;
    private final AtomicBoolean closed = new AtomicBoolean();

    Slot(Claim holder, Runnable task, Executor worker, double allowance, Instant since) {
      this.holder = holder;
      this.task = task;
      this.worker = worker;
      this.hold =
          holder.session.inTransaction()
              ? Optional.empty()
              : Optional.of(holdings.take(holder.user()));
      this.allowance = allowance;
      this.since = since;
    }

    boolean isOver() {
      Duration had = Duration.between(since, clock.instant());
      return had.toNanos() / 1e9 > allowance || (waiting.get() > 0 && had.compareTo(TURN) > 0);
    }

    void use() {
      try (this) {
        task.run();
      }
    }

    @Override
    public void close() {
      if (closed.compareAndSet(false, true)) {
        giveBack(this);
        // Whoever gives a connection back lets others begin, here too.
        hold.ifPresentOrElse(Holdings.Hold::close, Admission.this::dispatch);
      }
    }
  }

  /** Ends what has waited for too long; to be called every now and then. */
  public void sweep() {
    if (limits.patience.isEmpty()) {
      return;
    }
    Duration patience = limits.patience.get();
    for (Claim late : waitingSince(clock.instant().minus(patience))) {
      late.cancellation.cancel(
          Limit.QUEUE_TIMEOUT,
          "the statement has waited for %s (queue_timeout) to be run: %s"
              .formatted(text(patience), cause(late)));
    }
  }

  private synchronized String cause(Claim late) {
    String user = late.user();
    return mayHoldMore(user)
        ? ("%d are at work (max_concurrent_queries), of one user half of them. Wait for your other"
                + " statements to end, or try again later")
            .formatted(limits.slots)
        : Holdings.refusal(holdings.of(user));
  }

  private static String text(Duration duration) {
    return duration.toMillis() % 1_000 == 0
        ? duration.toSeconds() + " s"
        : duration.toMillis() + " ms";
  }

  private synchronized List<Claim> waitingSince(Instant limit) {
    var late = new ArrayList<Claim>();
    for (User user : users.values()) {
      for (Line line : user.lines.values()) {
        line.claims.stream().filter(claim -> claim.since.isBefore(limit)).forEach(late::add);
      }
    }
    return late;
  }

  /** Has a claim wait; or says why it may not. */
  private synchronized Optional<Refusal> add(Claim claim, Runnable task) {
    Instant now = clock.instant();
    User user = users.computeIfAbsent(claim.user(), _ -> new User(now));
    user.seen = now;
    Line line = user.lines.computeIfAbsent(claim.session, _ -> new Line());
    if (isInOrder(claim.session) && line.claims.size() >= Turns.MAX_WAITING) {
      return Optional.of(new Refusal(Limit.SESSION_QUEUE, Turns.REFUSAL));
    }
    if (waiting.get() >= limits.waiting || (!isAlone() && user.waiting >= limits.waiting / 2)) {
      return Optional.of(
          new Refusal(
              Limit.QUEUE_LENGTH,
              ("too many statements wait to be run, %d of yours: max_concurrent_queries are run at"
                      + " once, and the queue for them is full. Send fewer at once, or try again"
                      + " later")
                  .formatted(user.waiting)));
    }
    claim.task = task;
    claim.since = now;
    claim.cancellation.request().waits();
    line.claims.addLast(claim);
    user.waiting++;
    waiting.incrementAndGet();
    return Optional.empty();
  }

  private synchronized Optional<Runnable> remove(Claim claim) {
    Runnable task = claim.task;
    if (task == null) {
      return Optional.empty();
    }
    User user = users.get(claim.user());
    Line line = user == null ? null : user.lines.get(claim.session);
    if (user == null || line == null || !line.claims.remove(claim)) {
      throw new IllegalStateException("what waits is in its line");
    }
    left(user, claim);
    forgetIfIdle(user, claim.session, line);
    return Optional.of(task);
  }

  private void left(User user, Claim claim) {
    claim.task = null;
    user.waiting--;
    waiting.decrementAndGet();
  }

  private static void forgetIfIdle(User user, Session session, Line line) {
    if (line.running == 0 && line.claims.isEmpty()) {
      user.lines.remove(session);
    }
  }

  private void dispatch() {
    for (Optional<Slot> next = take(); next.isPresent(); next = take()) {
      Slot slot = next.get();
      try {
        slot.worker.execute(slot::use);
      } catch (RejectedExecutionException e) {
        // The server has stopped.
        giveBack(slot);
        throw e;
      }
    }
  }

  /** The next one that may begin, if there is one. */
  private synchronized Optional<Slot> take() {
    if (free == 0 || waiting.get() == 0) {
      return Optional.empty();
    }
    int most = limits.ofUser(isAlone());
    for (Map.Entry<String, User> entry : users.entrySet()) {
      User user = entry.getValue();
      if (user.waiting == 0 || user.running >= most) {
        continue;
      }
      Optional<Slot> slot = takeOf(user, Limits.ofSession(most), mayHoldMore(entry.getKey()));
      if (slot.isPresent()) {
        users.remove(entry.getKey());
        users.put(entry.getKey(), user);
        return slot;
      }
    }
    return Optional.empty();
  }

  /** A session with a transaction goes first: it holds what others may wait for. */
  private Optional<Slot> takeOf(User user, int mostOfSession, boolean mayHoldMore) {
    Optional<Session> next = next(user, mostOfSession, mayHoldMore, true);
    if (next.isEmpty()) {
      next = next(user, mostOfSession, mayHoldMore, false);
    }
    return next.map(session -> begin(user, session));
  }

  private Optional<Session> next(
      User user, int mostOfSession, boolean mayHoldMore, boolean isHolding) {
    return user.lines.entrySet().stream()
        .filter(line -> !line.getValue().claims.isEmpty())
        // What is of a transaction needs no more. What is not is found out when it begins.
        .filter(line -> mayHoldMore || line.getKey().isHolding())
        .filter(line -> line.getKey().isHolding() == isHolding)
        .filter(line -> line.getValue().running < (isInOrder(line.getKey()) ? 1 : mostOfSession))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  private boolean mayHoldMore(String user) {
    return holdings.of(user) < holdings.mostOfUser(isAlone());
  }

  /** The statements of such a session run one after the other, and would wait with a slot. */
  private boolean isInOrder(Session session) {
    return limits.patience.isPresent() && session.hasState();
  }

  private Slot begin(User user, Session session) {
    Line line = java.util.Objects.requireNonNull(user.lines.remove(session));
    user.lines.put(session, line);
    Claim claim = line.claims.removeFirst();
    Runnable task = java.util.Objects.requireNonNull(claim.task);
    left(user, claim);
    claim.cancellation.request().hasTurn();
    line.running++;
    user.running++;
    free--;
    Instant now = clock.instant();
    double left = MUCH_SECONDS - user.use.at(now);
    Slot slot =
        left > 0
            ? new Slot(claim, task, workers.usual, left, now)
            : new Slot(claim, task, workers.patient, Double.POSITIVE_INFINITY, now);
    claim.slot = slot;
    return slot;
  }

  /** Counts what the holder of a slot has had up to now. */
  private synchronized void settle(Slot slot) {
    User user = users.get(slot.holder.user());
    if (user == null) {
      throw new IllegalStateException("who has a slot is there");
    }
    Instant now = clock.instant();
    user.use.add(Duration.between(slot.since, now), now);
    slot.since = now;
  }

  private synchronized void giveBack(Slot slot) {
    settle(slot);
    free++;
    Session session = slot.holder.session;
    User user = users.get(slot.holder.user());
    Line line = user == null ? null : user.lines.get(session);
    if (user == null || line == null) {
      throw new IllegalStateException("what runs is in its line");
    }
    user.running--;
    line.running--;
    forgetIfIdle(user, session, line);
  }

  /** True when only one user was there lately. */
  private boolean isAlone() {
    if (users.size() > 1) {
      Instant since = clock.instant().minus(PRESENT);
      users.values().removeIf(user -> user.lines.isEmpty() && user.seen.isBefore(since));
    }
    return users.size() <= 1;
  }

  /** What has its turn now. */
  public synchronized int atWork() {
    return limits.slots - free;
  }

  /** What waits now. */
  public int waiting() {
    return waiting.get();
  }

  /** What waits now of one session. */
  synchronized int waiting(Session session) {
    User user = users.get(session.user());
    Line line = user == null ? null : user.lines.get(session);
    return line == null ? 0 : line.claims.size();
  }
}
