package com.lokryn.ducklake.query;

import com.lokryn.ducklake.observe.QueryListener;
import com.lokryn.ducklake.observe.QueryRecord;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The statements that ended last on this server, in memory: so many of them, and so much of their
 * texts. Thread-safe.
 */
public final class QueryHistory implements QueryListener {
  /** How many statements are kept. */
  public static final int MOST = 10_000;

  /** The longest part of a statement that is kept, in characters. */
  static final int LONGEST_SQL = 4_096;

  /** For all of the texts together, in characters. */
  private static final int MOST_TEXT = 4 << 20;

  /**
   * A statement that is over.
   *
   * @param ended when that was
   * @param sql the beginning of it
   */
  record Past(Instant ended, QueryRecord query, String sql) {
    Instant started() {
      return ended.minusNanos(query.phases().nanos());
    }
  }

  private final InstantSource clock;
  private final Deque<Past> past = new ArrayDeque<>();
  private int text;

  public QueryHistory(InstantSource clock) {
    this.clock = clock;
  }

  @Override
  public void ended(QueryRecord query) {
    add(new Past(clock.instant(), query.withoutSql(), beginning(query.sql())));
  }

  /** As much of a statement as is shown. */
  static String beginning(String sql) {
    return sql.length() > LONGEST_SQL ? sql.substring(0, LONGEST_SQL) + " …" : sql;
  }

  private synchronized void add(Past one) {
    past.addLast(one);
    text += one.sql.length();
    while (past.size() > MOST || text > MOST_TEXT) {
      text -= past.removeFirst().sql.length();
    }
  }

  /** Those that are kept, the oldest first. */
  synchronized List<Past> all() {
    return List.copyOf(past);
  }
}
