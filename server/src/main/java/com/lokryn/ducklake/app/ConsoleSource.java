package com.lokryn.ducklake.app;

import com.lokryn.ducklake.access.Identity;
import com.lokryn.ducklake.auth.Evidence;
import com.lokryn.ducklake.auth.Verdict;
import com.lokryn.ducklake.engine.BuildInfo;
import com.lokryn.ducklake.engine.EngineException;
import com.lokryn.ducklake.engine.EngineThreads;
import com.lokryn.ducklake.http.ConsoleData;
import com.lokryn.ducklake.observe.Levels;
import com.lokryn.ducklake.observe.Levels.EngineUse;
import com.lokryn.ducklake.observe.Levels.Lane;
import com.lokryn.ducklake.observe.QueryKind;
import com.lokryn.ducklake.observe.QueryOutcome;
import com.lokryn.ducklake.observe.Readiness;
import com.lokryn.ducklake.query.Cancellation;
import com.lokryn.ducklake.query.Explanations;
import com.lokryn.ducklake.query.Problem;
import com.lokryn.ducklake.query.QueryException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the console what it shows, from the parts of a server. What enters the engine does so on
 * threads of this. Thread-safe.
 */
final class ConsoleSource implements ConsoleData {
  private static final Logger LOG = LoggerFactory.getLogger(ConsoleSource.class);

  /** Rows of each table. */
  private static final int MOST = 100;

  /** What of a statement is in a list, in characters. */
  private static final int SQL_IN_LIST = 400;

  private static final Duration PATIENCE = Duration.ofSeconds(4);

  /** For so long after a look statements that begin tell their progress. */
  private static final Duration LOOKED_AT = Duration.ofSeconds(20);

  private static final LakeState NARROWED = new LakeState("narrowed", Map.of("narrowed", true));

  private final LakeServer server;
  private final Levels levels;
  private final LakeView lake;
  private final ExecutorService looks =
      Executors.newSingleThreadExecutor(EngineThreads.factory("console"));
  private final ExecutorService plans =
      Executors.newSingleThreadExecutor(EngineThreads.factory("console-plan"));

  /**
   * @param levels closed by somebody else
   */
  ConsoleSource(LakeServer server, Levels levels) {
    this.server = server;
    this.levels = levels;
    this.lake = new LakeView(server.service().lake(), server.engine());
  }

  @Override
  public boolean areUsersAsked() {
    return server.service().users().areAsked();
  }

  @Override
  public Entry enter(@Nullable String authorization, @Nullable InetAddress from)
      throws InterruptedException {
    try {
      Verdict verdict =
          server
              .authenticator()
              .ask(new Evidence(authorization, from, Optional.empty()))
              .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
      return switch (verdict) {
        case Verdict.Known known -> new Visitor(known.identity());
        case Verdict.Refused refused ->
            new Refused(
                switch (refused.reason()) {
                  case UNKNOWN -> 401;
                  case FORBIDDEN -> 403;
                  case TOO_MANY -> 429;
                  case UNAVAILABLE -> 503;
                },
                refused.text());
      };
    } catch (ExecutionException | TimeoutException e) {
      LOG.atDebug().setCause(e).log("it cannot be told who looks at the console");
      return new Refused(503, "it cannot be told at this moment who you are: try again");
    }
  }

  @Override
  public Map<String, @Nullable Object> now(Identity visitor) throws InterruptedException {
    server.activeQueries().watch(LOOKED_AT);
    var now = new LinkedHashMap<String, @Nullable Object>();
    now.put("time", System.currentTimeMillis());
    now.put("user", visitor.name());
    now.put("role", visitor.role().text());
    now.put("version", BuildInfo.VERSION);
    now.put("server", numbers());
    now.put("problems", problems());
    now.putAll(await(looks, () -> work(visitor)).orElse(Map.of()));
    return now;
  }

  /** The progress of statements is asked of the engine. */
  private Map<String, @Nullable Object> work(Identity visitor) {
    var work = new LinkedHashMap<String, @Nullable Object>();
    work.put("queries", table("queries", visitor));
    work.put("recent", table("query_log", visitor));
    work.put("sessions", table("sessions", visitor));
    return work;
  }

  private List<Map<String, @Nullable Object>> table(String name, Identity visitor) {
    return server.administration().tables().show(name, visitor, MOST).stream()
        .map(ConsoleSource::plain)
        .toList();
  }

  private static Map<String, @Nullable Object> plain(Map<String, @Nullable Object> row) {
    var plain = new LinkedHashMap<String, @Nullable Object>(row);
    plain.replaceAll(
        (name, value) ->
            switch (value) {
              case null -> null;
              case OffsetDateTime time -> time.toInstant().toEpochMilli();
              case String text when name.equals("sql") && text.length() > SQL_IN_LIST ->
                  text.substring(0, SQL_IN_LIST) + " …";
              default -> value;
            });
    return plain;
  }

  private Map<String, @Nullable Object> numbers() {
    var numbers = new LinkedHashMap<String, @Nullable Object>();
    numbers.put("up_ms", ManagementFactory.getRuntimeMXBean().getUptime());
    numbers.put("at_work", levels.atWork(Lane.STATEMENTS));
    numbers.put("waiting", levels.waiting(Lane.STATEMENTS) + levels.waiting(Lane.UPLOADS));
    numbers.put("uploads", levels.atWork(Lane.UPLOADS));
    numbers.put("streams", levels.openStreams());
    numbers.put("connections", levels.connections());
    numbers.put("sessions", levels.sessions());
    numbers.put("transactions", levels.openTransactions());
    numbers.put("ended", Arrays.stream(QueryOutcome.values()).mapToLong(this::ended).sum());
    numbers.put("failed", ended(QueryOutcome.FAILED));
    numbers.put("sent_bytes", server.numbers().usage().sentBytes());
    EngineUse use = levels.engineUse();
    numbers.put("engine_bytes", known(use.memory()));
    numbers.put("engine_limit", levels.engineMemoryLimit());
    numbers.put("spilled_bytes", known(use.spilled()));
    numbers.put("batch_bytes", levels.batchBytes());
    numbers.put("kept_bytes", server.keptBytes());
    numbers.put("cache_hits", server.cacheHits());
    Runtime java = Runtime.getRuntime();
    numbers.put("heap_bytes", java.totalMemory() - java.freeMemory());
    numbers.put("heap_limit", java.maxMemory());
    return numbers;
  }

  private static @Nullable Double known(double number) {
    return Double.isNaN(number) ? null : number;
  }

  private long ended(QueryOutcome outcome) {
    return Arrays.stream(QueryKind.values())
        .mapToLong(kind -> server.numbers().queries().ended(kind, outcome))
        .sum();
  }

  private List<Map<String, Object>> problems() {
    return server.readiness().state().conditions().stream()
        .filter(condition -> !condition.isOk())
        .map(ConsoleSource::problem)
        .toList();
  }

  private static Map<String, Object> problem(Readiness.Condition condition) {
    return Map.of("id", condition.check().id(), "detail", condition.detail());
  }

  @Override
  public Optional<LakeState> lake(Identity visitor) {
    return visitor.grants().isPresent() ? Optional.of(NARROWED) : lake.state();
  }

  @Override
  public Optional<Map<String, @Nullable Object>> statement(String id, Identity visitor)
      throws InterruptedException {
    Optional<String> sql = server.administration().sql(id, visitor);
    if (sql.isEmpty()) {
      return Optional.empty();
    }
    var statement = new LinkedHashMap<String, @Nullable Object>();
    statement.put("sql", sql.get());
    var cancellation = new Cancellation();
    Map<String, String> plan =
        await(plans, () -> plan(sql.get(), visitor, cancellation))
            .orElse(Map.of("no_plan", "the engine has not planned it in time"));
    cancellation.cancel(Problem.CANCELLED, "nobody waits for the plan any more");
    statement.putAll(plan);
    return Optional.of(statement);
  }

  private Map<String, String> plan(String sql, Identity visitor, Cancellation cancellation) {
    Optional<Explanations> explanations = server.explanations();
    try {
      return explanations.isEmpty()
          ? Map.of("no_plan", "the server does not take statements yet")
          : Map.of("plan", explanations.get().plan(sql, visitor, cancellation));
    } catch (EngineException e) {
      return Map.of(
          "no_plan", "it cannot be planned apart from its session: " + server.shown(e.text()));
    } catch (QueryException e) {
      return Map.of("no_plan", e.text());
    }
  }

  /** Empty where the answer does not come in time, or not at all. */
  private static <T> Optional<T> await(ExecutorService thread, Callable<T> work)
      throws InterruptedException {
    Future<T> answer;
    try {
      answer = thread.submit(work);
    } catch (RejectedExecutionException e) {
      return Optional.empty();
    }
    try {
      return Optional.of(answer.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
    } catch (TimeoutException e) {
      return Optional.empty();
    } catch (ExecutionException e) {
      LOG.atWarn().setCause(e.getCause()).log("the console could not be answered");
      return Optional.empty();
    }
  }

  @Override
  public boolean killQuery(String id, Identity visitor) {
    return server.administration().killQuery(id, visitor);
  }

  @Override
  public boolean killSession(String id, Identity visitor) {
    return server.administration().killSession(id, visitor);
  }

  @Override
  public void close() {
    looks.shutdownNow();
    plans.shutdownNow();
    lake.close();
  }
}
