package com.lokryn.ducklake.observe;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/** Writes one line of each statement to the log, when it is over. Thread-safe. */
public final class QueryLog implements QueryListener {
  private static final Logger LOG = LoggerFactory.getLogger(QueryLog.class);

  /** The longest part of a statement that is logged, in characters. */
  private static final int MAX_SQL = 16_384;

  private final Optional<Redaction> sql;

  /**
   * @param sql what to take out of statements; empty to log no statement at all
   */
  public QueryLog(Optional<Redaction> sql) {
    this.sql = sql;
  }

  @Override
  public void ended(QueryRecord query) {
    if (!LOG.isInfoEnabled()) {
      return;
    }
    Phases times = query.phases();
    LoggingEventBuilder event =
        LOG.atInfo()
            .addKeyValue("query_id", query.id().value())
            .addKeyValue("user", query.user())
            .addKeyValue("session", query.session())
            .addKeyValue("kind", query.kind().label())
            .addKeyValue("outcome", query.outcome().label());
    if (query.cause().isPresent()) {
      event = event.addKeyValue("cause", query.cause().get());
    }
    event = event.addKeyValue("ms", millis(times.nanos()));
    for (Phase phase : Phase.values()) {
      if (times.reached(phase)) {
        event = event.addKeyValue(phase.label() + "_ms", millis(times.nanos(phase)));
      }
    }
    event = event.addKeyValue("rows", query.rows()).addKeyValue("bytes", query.bytes());
    Optional<String> trace = query.request().trace().map(Tracing::traceId);
    if (trace.isPresent()) {
      event = event.addKeyValue("trace_id", trace.get());
    }
    if (sql.isPresent() && !query.sql().isEmpty()) {
      event = event.addKeyValue("sql", shown(sql.get(), query.sql()));
    }
    event.log("query ended");
  }

  private static String shown(Redaction redaction, String sql) {
    String safe = redaction.statement(sql);
    return safe.length() > MAX_SQL ? safe.substring(0, MAX_SQL) + " …" : safe;
  }

  /** To the microsecond: most statements take less than a millisecond in each phase. */
  private static double millis(long nanos) {
    return TimeUnit.NANOSECONDS.toMicros(nanos) / 1e3;
  }
}
